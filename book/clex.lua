-- clex.lua -- cuts lines of C at their tokens, so that they can be coloured.
--
-- lex(lines) returns for each line a list of {class, text}; the texts of a line,
-- put together, are the line.  Classes: kw keyword, pp directive, co comment,
-- st string or character, id any other word, and "" for the rest.

local keyword = {}
for w in ([[alignas alignof auto bool break case char const constexpr continue default do double
  else enum extern false float for goto if inline int long nullptr register restrict return short
  signed sizeof static static_assert struct switch thread_local true typedef typeof union unsigned
  void volatile while _Alignas _Alignof _Atomic _Bool _Generic _Noreturn _Static_assert
  _Thread_local]]):gmatch '%S+' do keyword[w] = true end

-- The end of the quoted text that begins at i.
local function close(s, i)
  local q, j = s:sub(i, i), i + 1
  while j <= #s and s:sub(j, j) ~= q do j = j + (s:sub(j, j) == '\\' and 2 or 1) end
  return math.min(j, #s)
end

return function(lines)
  local out, comment = {}, false
  for n, s in ipairs(lines) do
    local toks, i, first = {}, 1, s:find '%S'
    while i <= #s do
      local class, j = '', i
      if comment or s:find('^/%*', i) then
        local _, e = s:find('*/', comment and i or i + 2, true)
        class, comment, j = 'co', e == nil, e or #s
      elseif s:find('^//', i) then class, j = 'co', #s
      elseif s:find('^["\']', i) then class, j = 'st', close(s, i)
      elseif i == first and s:find('^#%s*%a', i) then
        class = 'pp'; _, j = s:find('^#%s*%a+', i)
      elseif s:find('^[%a_]', i) then
        _, j = s:find('^[%w_]+', i)
        class = keyword[s:sub(i, j)] and 'kw' or 'id'
      elseif s:find('^%d', i) then _, j = s:find("^[%w.']+", i)
      elseif s:find('^%s', i) then _, j = s:find('^%s+', i)
      end
      toks[#toks + 1] = {class, s:sub(i, j)}
      i = j + 1
    end
    out[n] = toks
  end
  return out
end
