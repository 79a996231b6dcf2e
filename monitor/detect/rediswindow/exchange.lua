-- Adds events to windows and returns what these held before, what is not needed
-- any more included.
--
-- KEYS: the windows. Each is a sorted set whose scores are all 0, so that its
--       members are in the order of their bytes:
--         e, timestamp, event key, arrival, mark, ID   an event
--         a, timestamp                                 the newest one that a
--                                                      limit cost
-- ARGV: for each window: limit, how many events before the earliest new one are
--       enough (0: all), the bound behind that one, the lowest event to stay
--       (empty: all), milliseconds to live and number of events; for each of
--       these the parts of its member before and behind the arrival, and the
--       bounds of the events within its span
--
-- Returns for each window the newest event that a limit cost (empty: none), how
-- many it cost now, the events, and, if some were left out, how many were within
-- the span of each new one.

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
  local limit, enough, behind, lowest, life = tonumber(take()), tonumber(take()), take(), take(), take()
  local n = tonumber(take())
  local events = last

  local size = redis.call('ZCARD', window)
  local from, counts = 0, {}
  -- Few events cost less than counting them.
  if enough > 0 and size > 2 * enough + 16 then
    from = math.max(0, redis.call('ZLEXCOUNT', window, '-', '(' .. behind) - enough)
  end
  local held = redis.call('ZRANGE', window, from, -1)
  local lost = held[1] or ''
  if from > 0 then
    lost = redis.call('ZRANGE', window, 0, 0)[1]
  end
  if string.sub(lost, 1, 1) == 'a' then
    size = size - 1
  else
    lost = ''
  end
  if from > 0 then
    for i = 1, n do
      local event = events + 4 * (i - 1)
      counts[i] = redis.call('ZLEXCOUNT', window, '[' .. ARGV[event + 3], '(' .. ARGV[event + 4])
    end
  end

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
  if lowest ~= '' and #held > 0 then
    size = size - redis.call('ZREMRANGEBYLEX', window, '[e', '(' .. lowest)
  end
  local cut = math.max(0, size - limit)
  if cut > 0 then
    local newest = redis.call('ZRANGEBYLEX', window, '[e', '+', 'LIMIT', cut - 1, 1)[1]
    redis.call('ZREMRANGEBYLEX', window, '[e', '[' .. newest)
    redis.call('ZADD', window, 0, 'a' .. string.sub(newest, 2, 9))
    local both = redis.call('ZRANGEBYLEX', window, '[a', '(b')
    if #both > 1 then
      redis.call('ZREM', window, both[1])
    end
  end
  redis.call('PEXPIRE', window, life)
  reply[k] = {lost, cut, held, counts}
end
return reply
