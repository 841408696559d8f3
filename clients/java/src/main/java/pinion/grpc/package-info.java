/**
 * For programs that call, or are called, through a Pinion gateway. A caller gives its channel a {@link PinionInterceptor}; a server is
 * started with {@link PinionServer}; a call that was refused is read by {@link Refusal#from}.
 */
package pinion.grpc;
