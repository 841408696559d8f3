/**
 * For programs that call, or are called, through a Pinion gateway. A caller gives its client an `interceptor`, a server hands itself
 * to `serve`.
 */
export {chain, passOn} from './chain';
export {apiKey, token, tokenFile} from './credentials';
export {interceptor, InterceptorOptions, pin} from './interceptor';
export {Notice, response, Response} from './notices';
export {Refusal} from './refusal';
export {RegistryChannel, serve, ServerDescription} from './server';
