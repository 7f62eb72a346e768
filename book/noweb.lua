-- noweb.lua -- a pandoc reader for what noweb's stages say of src.nw/.
--
--   markup src.nw/*.nw | finduses | noidx > stage;  pandoc -f book/noweb.lua stage
--
-- noweb parses and cross-references; this file only rearranges its answer.  The
-- prose is Pandoc Markdown.  A chunk becomes a Div of class "chunk" that holds
-- its code, untouched, in a CodeBlock; who uses it, what it defines and where
-- the links in its code are stand in the Div's attributes, for weave.lua.

local P = pandoc

-- Labels -----------------------------------------------------------------------
-- noweb's labels are hashes of a path as typed; ours are made of the chunk's
-- name: c-take-the-lowest-region, and -2, -3 where the chunk is continued.

local function slug(name)
  local s = name:lower():gsub('%[%[', ''):gsub('%]%]', ''):gsub('[^%w]+', '-')
  return (s:gsub('^%-+', ''):gsub('%-+$', ''))
end

local label = {}                       -- noweb's label -> ours

local function name_labels(stage)
  local count, taken, pending = {}, {}, nil
  for key, rest in stage:gmatch '@(%a+) ([^\n]*)\n' do
    if key == 'xref' then
      pending = rest:match '^label (%S+)$' or pending
    elseif key == 'defn' and pending then
      local base = 'c-' .. slug(rest)
      if taken[base] and taken[base] ~= rest then base = base .. '-' .. #rest end
      taken[base] = rest
      count[rest] = (count[rest] or 0) + 1
      label[pending] = count[rest] == 1 and base or base .. '-' .. count[rest]
      pending = nil
    end
  end
end

local function ours(l) return label[l] or l end

-- The stage --------------------------------------------------------------------

local chunks = {}                      -- in order of appearance
local chunk_list, id_list = {}, {}     -- noweb's two indexes

local function parse(stage)
  local md = {}                        -- the prose, in pieces
  local chunk                          -- the chunk being read, or nil
  local quote                          -- pieces of the [[quotation]] being read, or nil
  local file, line = '', 1
  local ref                            -- the label an "xref ref" has just named
  local id                             -- the identifier whose text comes next
  local entry                          -- the index entry being read
  local wrapped = false                -- the chunk stands in a ```c fence
  local fenced, begun = false, ''      -- in a fence of the prose; its line so far

  local function put(s)
    md[#md + 1] = s
    begun = begun .. s
    if s == '\n' then
      if begun:match '^```' or begun:match '^~~~' then fenced = not fenced end
      begun = ''
    end
  end

  local function text(s, kind, to)
    if chunk then
      local n = #chunk.lines
      if kind then
        chunk.marks[#chunk.marks + 1] =
          ('%d:%d:%d:%s:%s'):format(n, #chunk.lines[n] + 1, #s, kind, to)
      end
      chunk.lines[n] = chunk.lines[n] .. s
    elseif quote then
      quote[#quote + 1] = {s, kind, to}
    else
      put(s)
    end
  end

  -- A quotation is set as code, cut where an identifier or chunk links elsewhere.
  local function quoted(pieces)
    local whole = {}
    for _, x in ipairs(pieces) do whole[#whole + 1] = x[1] end
    if #pieces == 1 and pieces[1][2] == 'c' then
      return ('[%s]{.chunkref to="%s"}'):format(pieces[1][1]:gsub('[%[%]]', ''), pieces[1][3])
    end
    local s, tick, marks, at = table.concat(whole), '`', {}, 1
    if fenced then return '[[' .. s .. ']]' end
    while s:find(tick, 1, true) do tick = tick .. '`' end
    for _, x in ipairs(pieces) do
      if x[2] == 'i' then marks[#marks + 1] = ('%d:%d:%s'):format(at, #x[1], x[3]) end
      at = at + #x[1]
    end
    local pad = (s:find '^`' or s:find '`$') and ' ' or ''
    return tick .. pad .. s .. pad .. tick ..
      '{.quoted' .. (#marks > 0 and ' marks="' .. table.concat(marks, ' ') .. '"' or '') .. '}'
  end

  local on = {}
  function on.file(a) file = a; line = 1; fenced = false; put('\n'); put('\n') end
  function on.begin(a)
    if a:match '^code' then
      chunk = {lines = {}, marks = {}, defs = {}, uses = {}, usedin = {}, also = {},
               file = file, line = line}
      for i = #md, math.max(#md - 6, 1), -1 do      -- undo a fence just opened
        if md[i]:match '^```%s*c?%s*$' then md[i] = ''; wrapped, fenced = true, false; break end
        if md[i]:match '%S' then break end
      end
    end
  end
  on['end'] = function(a)
    if a:match '^code' then
      table.remove(chunk.lines)        -- what follows the last newline: nothing
      while #chunk.lines > 0 and chunk.lines[#chunk.lines]:match '^%s*$' do
        table.remove(chunk.lines)
      end
      chunks[#chunks + 1] = chunk
      put(('\n\n::: {.chunk key=%d}\n:::\n\n'):format(#chunks))
      chunk = nil
    end
  end
  function on.defn(a) chunk.name = a; chunk.ref = ref end
  function on.text(a)
    if chunk and not chunk.name then return end
    if wrapped and not chunk and a:match '^```%s*$' then wrapped = false; return end
    if id then text(a, 'i', id); id = nil else text(a) end
  end
  function on.nl()
    line = line + 1
    if chunk then chunk.lines[#chunk.lines + 1] = ''
    elseif quote then text(' ')
    else put('\n') end
  end
  function on.use(a) text(a, 'c', ours(ref)) end
  function on.quote() quote = {} end
  function on.endquote() local q = quote; quote = nil; put(quoted(q)) end
  function on.fatal(a) io.stderr:write('noweb: ', file, ': ', a, '\n'); os.exit(1) end

  local xref = {}
  function xref.label(a) if chunk and not chunk.name then chunk.label = ours(a) end end
  function xref.ref(a) ref = a end
  function xref.nextdef(a) chunk.next = ours(a) end
  function xref.prevdef(a) chunk.prev = ours(a) end
  function xref.defitem(a) table.insert(chunk.also, ours(a)) end
  function xref.useitem(a) table.insert(chunk.usedin, ours(a)) end
  function xref.notused() chunk.root = true end
  function xref.chunkbegin(a)
    local l, name = a:match '^(%S+) (.*)$'
    entry = {ref = ours(l), name = name, defs = {}, uses = {}}
    chunk_list[#chunk_list + 1] = entry
  end
  function xref.chunkdefn(a) table.insert(entry.defs, ours(a)) end
  function xref.chunkuse(a) table.insert(entry.uses, ours(a)) end

  local index = {}
  function index.use() id = ours(ref) end
  function index.nl() line = line + 1 end
  function index.defitem(a) table.insert(chunk.defs, a) end
  function index.entrybegin(a)
    local l, name = a:match '^(%S+) (.*)$'
    entry = {ref = ours(l), name = name, defs = {}, uses = {}}
    id_list[#id_list + 1] = entry
  end
  function index.entrydefn(a) table.insert(entry.defs, ours(a)) end

  for key, rest in stage:gmatch '@(%a+) ?([^\n]*)\n' do
    if key == 'xref' or key == 'index' then
      local sub, arg = rest:match '^(%a+) ?(.*)$'
      local f = (key == 'xref' and xref or index)[sub]
      if f then f(arg) end
    elseif on[key] then on[key](rest) end
  end
  return table.concat(md)
end

-- Uses -------------------------------------------------------------------------
-- noweb takes every word `run` for a use of `struct run`, and every field `free` for
-- a use of the function.  A name that is one plain word and a tag or a function counts
-- only after `struct` or before `(`; the chunk's "Uses" and the index follow.
-- Nor does a word count in a comment, in the name of an included file, or in a source
-- file that holds no C.

local in_c = {}                        -- source file -> has it C?

local function find_uses()
  local tags = {}
  for _, c in ipairs(chunks) do
    if c.name:match '%.[ch]$' then in_c[c.file] = true end
    for _, l in ipairs(c.lines) do
      for w in l:gmatch '%f[%w_]([a-z]+)%(' do tags[w] = true end
      for w in l:gmatch 'struct%s+([%w_]+)' do tags[w] = true end
      for w in l:gmatch 'enum%s+([%w_]+)' do tags[w] = true end
      for w in l:gmatch 'union%s+([%w_]+)' do tags[w] = true end
    end
  end
  local used = {}                      -- identifier -> labels of chunks that use it
  for _, c in ipairs(chunks) do
    local kept, mine, own = {}, {}, {}
    for _, d in ipairs(c.defs) do own[d] = true end
    for _, m in ipairs(c.marks) do
      local n, col, len, kind, to = m:match '(%d+):(%d+):(%d+):(%a):(%S+)'
      local l = c.lines[tonumber(n)]
      local from, past = tonumber(col), tonumber(col) + tonumber(len)
      local word = l:sub(from, past - 1)
      local before = l:sub(1, from - 1):match '([%a]+)%s+$'
      local lead = l:sub(1, from - 1)
      local idle = lead:find '^%s*#%s*include' or lead:find '^%s*/?%*%s' or lead:gsub('/%*.-%*/', ''):find('/*', 1, true)
      if kind == 'c' then kept[#kept + 1] = m
      elseif not in_c[c.file] then       -- neither a link nor a use
      elseif not (tags[word] and word:match '^[a-z]+$') or before == 'struct' or before == 'union' or before == 'enum'
          or l:find('^%s*%(', past) then
        kept[#kept + 1] = m
        if not own[word] and not mine[word] and not idle then
          mine[word] = true
          c.uses[#c.uses + 1] = word .. '=' .. to
          used[word] = used[word] or {}
          table.insert(used[word], c.label)
        end
      end
    end
    c.marks = kept
    table.sort(c.uses, function(a, b) return a:lower() < b:lower() end)
  end
  for _, e in ipairs(id_list) do e.uses = used[e.name] or {} end
end

-- The document -----------------------------------------------------------------

-- A chunk's name is prose with [[code]] in it.
local function name_inlines(name)
  local b = P.read(name:gsub('%[%[(.-)%]%]', '`%1`'), 'markdown').blocks[1]
  return b and b.content or {P.Str(name)}
end

local function chunk_div(c)
  local list = table.concat
  return P.Div({P.Plain(name_inlines(c.name)), P.CodeBlock(list(c.lines, '\n'), {class = 'c'})},
    {id = c.label, class = c.root and 'chunk root' or 'chunk', name = c.name, ref = ours(c.ref),
     prev = c.prev or '', next = c.next or '', also = list(c.also, ' '),
     usedin = list(c.usedin, ' '), defs = list(c.defs, ' '), uses = list(c.uses, ' '),
     marks = list(c.marks, ' '), place = c.file .. ':' .. c.line,
     lang = in_c[c.file] and 'c' or ''})
end

-- An index: one line an entry; weave.lua sets it.
local function index_div(d, entries, make)
  table.sort(entries, function(a, b)
    local x, y = a.name:lower(), b.name:lower()
    if x ~= y then return x < y end
    return a.name < b.name
  end)
  local lines = {}
  for _, e in ipairs(entries) do
    lines[#lines + 1] = {P.Span(make(e), {class = 'entry', ref = e.ref, name = e.name,
      defs = table.concat(e.defs, ' '), uses = table.concat(e.uses, ' ')})}
  end
  d.content = {P.LineBlock(lines)}
  d.classes:insert 'index'
  return d
end

function Reader(input, opts)
  local stage = tostring(input)
  if not stage:match '^@file ' then
    error 'noweb.lua reads the output of: markup *.nw | finduses | noidx'
  end
  name_labels(stage)
  local md = parse(stage)
  find_uses()
  local doc = P.read(md, 'markdown+smart-tex_math_single_backslash', opts)
  return doc:walk {
    Div = function(d)
      if d.classes:includes 'chunk' then return chunk_div(chunks[tonumber(d.attributes.key)]) end
      if d.identifier == 'index-of-chunks' then
        return index_div(d, chunk_list, function(e) return name_inlines(e.name) end)
      end
      if d.identifier == 'index-of-identifiers' then
        return index_div(d, id_list, function(e) return {P.Code(e.name)} end)
      end
    end,
  }
end
