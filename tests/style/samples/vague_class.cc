// sample: gateway/upstream/pool.cc expects vague-name
class PoolManager {};
