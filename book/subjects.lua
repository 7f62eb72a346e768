-- subjects.lua -- the subject index, made of subjects.txt and of what stands in the prose.
--
-- An entry gets the sections that deal with it: where the term is set bold, as terms are where
-- they are defined (in an aside, or with a full stop, bold is a heading); where it stands in
-- the section's heading; and where it stands several times.
-- A place is a section, the paragraph in it, and whether it is the definition.

local P = pandoc
local MANY, MOST = 2, 7                         -- times in a section; sections of an entry

local function read(name)
  local entries, at, byname = {}, 0, {}
  for line in io.lines(name) do
    at = at + 1
    if line:match '%S' and not line:match '^#' then
      local from, to = line:match '^(.-) %-> (.+)$'
      local names, phrases = (from or line):match '^(.-): (.+)$'
      names = names or from or line
      local head, sub = names:match '^(.-) > (.+)$'
      local e = {name = sub or names, head = head, see = to, phrases = {}, line = at}
      for p in (phrases or (not to and not sub and names) or ''):gmatch '[^|]+' do
        e.phrases[#e.phrases + 1] = p:match '^%s*(.-)%s*$':lower()
      end
      entries[#entries + 1] = e
      if not head then byname[names] = e end
    end
  end
  table.sort(entries, function(a, b)            -- a part stays under its entry
    local x, y = (a.head or a.name):lower(), (b.head or b.name):lower()
    if x ~= y then return x < y end
    if not a.head or not b.head then return not a.head and b.head ~= nil end
    return a.line < b.line
  end)
  return entries, byname
end

-- How often a phrase stands in a text that begins and ends with a blank, plurals included.
local function times(text, phrase)
  local n, from = 0, 1
  while true do
    local a, b = text:find(phrase, from, true)
    if not a then return n end
    local before, after = text:sub(a - 1, a - 1), text:sub(b + 1, b + 2)
    if phrase:sub(1, 1) == '@' then n = n + 1   -- the key of a citation begins so
    elseif not before:match '[%w_]' and (not after:match '^[%w_]' or after:match '^s[^%w_]') then n = n + 1 end
    from = b + 1
  end
end

local function plain(x)
  local s = P.utils.stringify(x):lower():gsub('’', "'"):gsub('\u{a0}', ' '):gsub('%s+', ' ')
  return ' ' .. s .. ' '
end

-- Visit headings and paragraphs in their order, but not those of code, tables and exercises;
-- returns the blocks with what the visitor made of each.
local function visited(blocks, visit, aside)
  local out = P.List {}
  for _, b in ipairs(blocks) do
    if b.t == 'Header' or b.t == 'Para' or b.t == 'Plain' then b = visit(b, aside)
    elseif b.t == 'BlockQuote' then b.content = visited(b.content, visit, true)
    elseif b.t == 'BulletList' or b.t == 'OrderedList' then
      local items = {}
      for i, item in ipairs(b.content) do items[i] = visited(item, visit, aside) end
      b.content = items
    end
    out:insert(b)
  end
  return out
end

-- Chapters' beginnings and sections: their titles, terms and paragraphs.
local function sections(blocks, number)
  local list, now, n = {}, nil, 0
  visited(blocks, function(b, aside)
    n = n + 1
    if b.t == 'Header' then
      if b.level > 2 then
        if now then now.title = now.title .. plain(b.content) end
      else
        now = number[b.identifier] and not b.classes:includes 'part'
          and {id = b.identifier, title = plain(b.content), paragraphs = {}, bold = {}} or nil
        if now then list[#list + 1] = now end
      end
    elseif now and not (#b.content == 1 and b.content[1].t == 'Image') then
      local at = n
      if not aside then
        b:walk {Strong = function(s) now.bold[plain(s):match '^ (.*) $'] = at end}
      end
      table.insert(now.paragraphs, {at = n, text = plain(b)})
    end
    return b
  end)
  return list
end

local function places(e, list)
  local found = {}
  for order, s in ipairs(list) do
    local count, first, score, defines = 0, nil, 0, nil
    for _, p in ipairs(s.paragraphs) do
      local n = 0
      for _, phrase in ipairs(e.phrases) do n = n + times(p.text, phrase) end
      if n > 0 then first = first or p.at end
      count = count + n
    end
    for _, phrase in ipairs(e.phrases) do
      defines = defines or s.bold[phrase] or s.bold[phrase .. 's']
      if times(s.title, phrase) > 0 and s.paragraphs[1] then
        first, score = first or s.paragraphs[1].at, 500
      end
    end
    if defines then score, first = score + 1000, defines end
    if first then
      found[#found + 1] = {section = s, at = first, defines = defines ~= nil, order = order,
                           score = score + count, enough = score > 0 or count >= MANY}
    end
  end
  table.sort(found, function(a, b) if a.score ~= b.score then return a.score > b.score end return a.order < b.order end)
  local out = {}
  for i, f in ipairs(found) do
    if i <= MOST and (f.enough or #out < 1) then out[#out + 1] = f end
  end
  table.sort(out, function(a, b) return a.order < b.order end)
  return out
end

return {
  -- The entries of a file, each with its places.
  collect = function(file, blocks, number, fault)
    local entries, byname = read(file)
    local list = sections(blocks, number)
    for _, e in ipairs(entries) do
      e.places = places(e, list)
      if (e.head and not byname[e.head]) or (e.see and not byname[e.see]) then
        fault(file, ':', tostring(e.line), ': there is no entry ', e.head or e.see)
      elseif #e.places == 0 and #e.phrases > 0 then
        fault(file, ':', tostring(e.line), ': ', e.name, ' stands nowhere in the book')
      end
    end
    return entries
  end,

  -- The blocks, with a mark in front of each paragraph that an entry leads to.
  marked = function(blocks, entries, mark)
    local wanted, n = {}, 0
    for _, e in ipairs(entries) do
      for _, p in ipairs(e.places) do wanted[p.at] = true end
    end
    return visited(blocks, function(b)
      n = n + 1
      if wanted[n] then b.content:insert(1, mark(n)) end
      return b
    end)
  end,
}
