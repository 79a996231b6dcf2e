-- Adds events to windows and returns what these held before.
--
-- KEYS: the windows. Each is a sorted set whose scores are all 0, so that its
--       members are in the order of their bytes:
--         e, timestamp, event key, arrival, mark, ID   an event
--         a, timestamp                                 the newest one that a
--                                                      limit cost
-- ARGV: for each window: limit, a bound, how many of the events before it are
--       enough, the bounds of those that are needed and of those that stay,
--       milliseconds to live and number of events; for each of these the parts
--       of its member before and behind the arrival, and the bounds of the
--       events within its span
--
-- Returns for each window its members, how many needed events the limit cost
-- now, and, if some that may be needed were left out, how many were within the
-- span of each new event.

local time = redis.call('TIME')
local microseconds = time[1] * 1000000 + time[2]
local arrived = 0

local last = 0
local function take()
  last = last + 1
  return ARGV[last]
end

local reply = {}
for k, window in ipairs(KEYS) do
  local limit, bound, enough = tonumber(take()), take(), tonumber(take())
  local needed, lowest, life, n = take(), take(), take(), tonumber(take())
  local first = last

  local size = redis.call('ZCARD', window)
  local from = 0
  -- Few events cost less than counting them.
  if size > 2 * enough + 16 then
    from = math.max(0, redis.call('ZLEXCOUNT', window, '-', '(' .. bound) - enough)
  end
  local members = redis.call('ZRANGE', window, from, -1)
  local oldest = members[1] or ''
  if from > 0 then
    oldest = redis.call('ZRANGE', window, 0, 0)[1]
  end
  if string.sub(oldest, 1, 1) == 'a' then
    size = size - 1
    if from > 0 then
      members[#members + 1] = oldest
    end
  end
  local counts = {}
  if from > 0 and enough > 0 then
    for i = 1, n do
      local event = first + 4 * (i - 1)
      counts[i] = redis.call('ZLEXCOUNT', window, '[' .. ARGV[event + 3], '(' .. ARGV[event + 4])
    end
  end

  local old = size > 0
  for _ = 1, n do
    local head, tail = take(), take()
    last = last + 2
    arrived = arrived + 1
    if size == 0 or not redis.call('ZRANGEBYLEX', window, '[' .. head, '[' .. head .. '\255', 'LIMIT', 0, 1)[1] then
      -- The first write: if Redis is out of memory or read-only, this is what
      -- fails.
      local arrival = struct.pack('>I8I4', microseconds, arrived)
      size = size + redis.call('ZADD', window, 0, head .. arrival .. tail)
    end
  end
  if old then
    size = size - redis.call('ZREMRANGEBYLEX', window, '[e', '(' .. lowest)
  end
  local cut = 0
  if size > limit then
    local newest = redis.call('ZRANGEBYLEX', window, '[e', '+', 'LIMIT', size - limit - 1, 1)[1]
    cut = redis.call('ZREMRANGEBYLEX', window, '[' .. needed, '[' .. newest)
    redis.call('ZREMRANGEBYLEX', window, '[e', '[' .. newest)
    redis.call('ZADD', window, 0, 'a' .. string.sub(newest, 2, 9))
    local both = redis.call('ZRANGEBYLEX', window, '[a', '(b')
    if #both > 1 then
      redis.call('ZREM', window, both[1])
    end
  end
  -- Never shorter: it may hold an event that is ahead of those of this call.
  if redis.call('PTTL', window) < tonumber(life) then
    redis.call('PEXPIRE', window, life)
  end
  members[#members + 1] = cut
  for i = 1, #counts do
    members[#members + 1] = counts[i]
  end
  reply[k] = members
end
return reply
