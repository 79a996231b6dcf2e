-- Adds a flush to the totals, once.
--
-- KEYS: 1 the number of the instance's last flush, 2 sorted set of the live
--       instances by the time when they cease to be, 3 hash of their gauges,
--       from 4 the hashes of counters and histograms
-- ARGV: 1 instance, 2 number of the flush, 3 the instance's gauges,
--       4 milliseconds that the instance stays live, 5 milliseconds that totals
--       are kept, 6 milliseconds that the number is kept, 7 how many attributes
--       a metric may have, 8 the attribute of all others; then for each metric
--       the number of attributes, for each of these its name and the number of
--       its parts, for each of these its name and what to add

-- A key that somebody else uses would make a write fail behind others.
for k, key in ipairs(KEYS) do
  local is, want = redis.call('TYPE', key).ok, ({ 'string', 'zset' })[k] or 'hash'
  if is ~= 'none' and is ~= want then
    return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. is .. ' and should be a ' .. want)
  end
end
if tonumber(redis.call('GET', KEYS[1]) or 0) >= tonumber(ARGV[2]) then
  return 0
end
-- The first write: if Redis is out of memory or read-only, this is what fails.
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[6])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('HDEL', KEYS[3], instance)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZADD', KEYS[2], now + ARGV[4], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])

local last = 8
local function take()
  last = last + 1
  return ARGV[last]
end

-- The attribute that something is counted under: its own, or that of all others
-- when the metric is full.
local function place(metric, attribute)
  if attribute == '' or attribute == ARGV[8] or redis.call('HEXISTS', metric, '\0' .. attribute) == 1 then
    return attribute
  end
  if tonumber(redis.call('HGET', metric, 'attributes') or 0) >= tonumber(ARGV[7]) then
    return ARGV[8]
  end
  redis.call('HINCRBY', metric, 'attributes', 1)
  return attribute
end

local function add(metric, field, n)
  local sum = redis.pcall('HINCRBY', metric, field, n)
  if type(sum) == 'table' and not string.find(sum.err, 'overflow', 1, true) then
    redis.call('HSET', metric, field, n) -- it was no number
  elseif type(sum) == 'table' then
    local negative = string.sub(n, 1, 1) == '-'
    redis.call('HSET', metric, field, negative and '-9223372036854775808' or '9223372036854775807')
  end
end

-- The numbers are not negative and have more digits than Lua can count with.
local function keepGreatest(metric, field, n)
  local greatest = redis.call('HGET', metric, field) or ''
  if #n > #greatest or (#n == #greatest and n > greatest) then
    redis.call('HSET', metric, field, n)
  end
end

for k = 4, #KEYS do
  local metric = KEYS[k]
  for _ = 1, tonumber(take()) do
    local attribute = place(metric, take())
    for _ = 1, tonumber(take()) do
      local part, n = take(), take()
      local field = part .. '\0' .. attribute
      if part == 'max' then
        keepGreatest(metric, field, n)
      else
        add(metric, field, n)
      end
    end
  end
end

if ARGV[5] ~= '0' then
  for k = 2, #KEYS do
    redis.call('PEXPIRE', KEYS[k], ARGV[5])
  end
end
return 1
