-- Admits one connection to a pool, or says why not.
--   KEYS: bucket, pods by connections, connections by expiry, prefix of the rejections
--   ARGV: connections a second, burst, limit of a pod, seconds until a connection expires, its id
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6

local function reject(reason)
  for _, window in ipairs({ { 300, 10 }, { 900, 30 }, { 3600, 60 } }) do
    local key = KEYS[4] .. window[1] .. ':' .. math.floor(now / window[2]) .. ':' .. reason
    redis.call('INCR', key)
    redis.call('EXPIRE', key, window[1] + window[2])
  end
  return { 0, reason }
end

for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[3], gone)
  redis.call('ZINCRBY', KEYS[2], -1, string.match(gone, '|(.*)'))
end

local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(tonumber(ARGV[2]),
  (tonumber(bucket[1]) or tonumber(ARGV[2])) + (now - (tonumber(bucket[2]) or now)) * ARGV[1])
if tokens < 1 then
  return reject('rate_limited')
end
local pod = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if not pod[1] then
  return reject('no_pods')
end
if tonumber(pod[2]) >= tonumber(ARGV[3]) then
  return reject('pod_limit')
end
redis.call('HSET', KEYS[1], 'tokens', tokens - 1, 'at', now)
redis.call('ZINCRBY', KEYS[2], 1, pod[1])
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[5] .. '|' .. pod[1])
return { 1, pod[1] }
