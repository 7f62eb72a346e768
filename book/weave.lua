-- weave.lua -- a pandoc filter that sets the book: chunks, exercises and their
-- answers, figures, equations, tables, data, and every numbered reference, for
-- LaTeX on one side and HTML and EPUB on the other.  Runs before citeproc.
--
-- Environment: LOOM_DATA the folder of data files, LOOM_EDITION the hash of the
-- sources.  A reference to nothing ends the run with its name, unless LOOM_DRAFT is set.

local P = pandoc
local tex = FORMAT:match 'latex' ~= nil
local here = PANDOC_SCRIPT_FILE:match '^(.*/)' or ''
local lex = dofile(here .. 'clex.lua')
local subjects = dofile(here .. 'subjects.lua')
local data_dir = os.getenv 'LOOM_DATA' or 'figures/data'
local edition = os.getenv 'LOOM_EDITION' or 'unknown'

local faults = {}
local function fault(...)
  local s = table.concat {'weave: ', ...}
  if not faults[s] then faults[s] = true; faults[#faults + 1] = s end
end

local function rawi(s) return P.RawInline(tex and 'latex' or 'html', s) end
local function rawb(s) return P.RawBlock(tex and 'latex' or 'html', s) end
local function words(s) return (s or ''):gmatch '%S+' end
local function has(x, class) return x.classes:includes(class) end
local function text_of(x) return P.utils.stringify(x) end

-- Escapes ------------------------------------------------------------------------

local tex_char = {['\\'] = '\\textbackslash{}', ['{'] = '\\{', ['}'] = '\\}', ['$'] = '\\$',
  ['&'] = '\\&', ['#'] = '\\#', ['%'] = '\\%', ['_'] = '\\_', ['^'] = '\\textasciicircum{}',
  ['~'] = '\\textasciitilde{}', [' '] = '\\ ', ['-'] = '{-}', ["'"] = '\\textquotesingle{}',
  ['`'] = '\\textasciigrave{}', ['"'] = '\\textquotedbl{}', ['<'] = '{<}', ['>'] = '{>}', [','] = '{,}'}
local function tex_code(s) return (s:gsub('[\\{}$&#%%_^~ \'`"<>,-]', tex_char)) end
-- In running text a name may break after an underscore, a bracket, a stroke.
local function tex_inline_code(s)
  return (tex_code(s):gsub('\\ ', ' '):gsub('\\_', '\\_\\brk{}'):gsub('([/=:|(])', '%1\\brk{}')
    :gsub('%(\\brk{}%)', '()'):gsub('{([,>])}', '{%1}\\brk{}'))
end
local html_char = {['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;'}
local function html_code(s) return (s:gsub('[&<>"]', html_char)) end

-- Numbers ------------------------------------------------------------------------

local number, kind = {}, {}                     -- id -> "3.4", "Figure"
local title = {}                                -- id of a chapter or section -> its inlines
local defined = {}                              -- identifier -> the chunk that defines it
local word_of = {fig = 'Figure', eq = 'Equation', tab = 'Table', ch = 'Chapter', sec = 'Section',
  ex = 'Exercise', part = 'Part'}
local function roman(n)
  local s = ''
  for _, r in ipairs {{10, 'X'}, {9, 'IX'}, {5, 'V'}, {4, 'IV'}, {1, 'I'}} do
    while n >= r[1] do s, n = s .. r[2], n - r[1] end
  end
  return s
end

local function count(doc)
  local part, chapter, sec, sub, n, appendix = 0, 0, 0, 0, {}, false
  local function name(id, what, value)
    if id == '' then return end
    if number[id] then fault('the label ', id, ' stands twice') end
    number[id], kind[id] = value, what
  end
  local function next_in_chapter(id, what)
    n[what] = (n[what] or 0) + 1
    local c = appendix and string.char(64 + chapter) or chapter
    name(id, what, chapter == 0 and tostring(n[what]) or c .. '.' .. n[what])
  end
  doc:walk {
    traverse = 'topdown',
    Header = function(h)
      title[h.identifier] = h.content
      if has(h, 'part') then part = part + 1; name(h.identifier, 'Part', roman(part)); return end
      if has(h, 'unnumbered') then return end
      if h.level == 1 then
        if has(h, 'appendix') and not appendix then appendix, chapter = true, 0 end
        chapter, sec, sub, n = chapter + 1, 0, 0, {}
      elseif h.level == 2 then sec, sub = sec + 1, 0
      else sub = sub + 1 end
      local c = appendix and string.char(64 + chapter) or tostring(chapter)
      if chapter == 0 or h.level > 3 then return end
      name(h.identifier, h.level == 1 and (appendix and 'Appendix' or 'Chapter') or 'Section',
        h.level == 1 and c or h.level == 2 and c .. '.' .. sec or c .. '.' .. sec .. '.' .. sub)
    end,
    Div = function(d)
      if has(d, 'chunk') then
        next_in_chapter(d.identifier, 'Chunk')
        for id in words(d.attributes.defs) do defined[id] = d.identifier end
      elseif has(d, 'exercise') then next_in_chapter(d.identifier, 'Exercise')
      elseif has(d, 'csv') and d.identifier ~= '' then next_in_chapter(d.identifier, 'Table') end
    end,
    Table = function(t) if t.identifier ~= '' then next_in_chapter(t.identifier, 'Table') end end,
    Image = function(i) if i.identifier ~= '' then next_in_chapter(i.identifier, 'Figure') end end,
    Span = function(s) if has(s, 'equation') then next_in_chapter(s.identifier, 'Equation') end end,
  }
end

-- Data ---------------------------------------------------------------------------
-- A data file: comma-separated, first line the columns' names, "#" begins a remark.

local files = {}
local function data(name)
  if files[name] then return files[name] end
  local f = io.open(data_dir .. '/' .. name)
  if not f then fault('there is no data file ', data_dir, '/', name); return nil end
  local t = {rows = {}}
  for l in f:lines() do
    if l:match '%S' and not l:match '^#' then
      local r = {}
      for x in (l:gsub('\r$', '') .. ','):gmatch '%s*([^,]*),' do
        r[#r + 1] = x:gsub('^"(.*)"$', '%1'):gsub('%s+$', '')
      end
      if t.cols then t.rows[#t.rows + 1] = r else t.cols = r end
    end
  end
  f:close()
  t.at = {}
  for i, c in ipairs(t.cols or {}) do t.at[c] = i end
  files[name] = t
  return t
end

local function shown(x, format)
  if format and format ~= '' and tonumber(x) then return format:format(tonumber(x)) end
  return x
end

-- data:FILE/ROW/COLUMN; ROW is the first column's value, or column=value,...
local function cell(where, format)
  local name, row, col = where:match '^([^/]+)/([^/]+)/([^/]+)$'
  if not name then fault('data:', where, ' is not data:FILE/ROW/COLUMN'); return '??' end
  local t = data(name)
  if not t then return '??' end
  row, col = row:gsub('%%20', ' '), col:gsub('%%20', ' ')
  if not t.at[col] then fault(name, ' has no column ', col); return '??' end
  for _, r in ipairs(t.rows) do
    local good = r[1] == row
    if row:find '=' then
      good = true
      for k, v in row:gmatch '([^=,]+)=([^,]*)' do good = good and t.at[k] and r[t.at[k]] == v end
    end
    if good then return shown(r[t.at[col]], format) end
  end
  fault(name, ' has no row ', row)
  return '??'
end

-- A Div of class csv becomes a table; its content is the caption.
local function csv_table(d)
  local t = data(d.attributes.file or '')
  if not t then return {} end
  local cols, rows, aligns = {}, {}, {}
  if d.attributes.columns then for c in words(d.attributes.columns) do cols[#cols + 1] = c end
  else cols = t.cols end
  for i, c in ipairs(cols) do
    aligns[i] = P.AlignRight
    if not t.at[c] then fault(d.attributes.file, ' has no column ', c); return {} end
    for _, r in ipairs(t.rows) do
      if not tonumber(r[t.at[c]]) and r[t.at[c]]:match '%a' then aligns[i] = P.AlignLeft end
    end
  end
  for n, r in ipairs(t.rows) do
    rows[n] = {}
    for i, c in ipairs(cols) do
      local x = r[t.at[c]]
      rows[n][i] = {P.Plain {P.Str(i == 1 and x or shown(x, d.attributes.format))}}
    end
  end
  local heads = {}
  for i, c in ipairs(cols) do heads[i] = {P.Plain {P.Str((c:gsub('_', ' ')))}} end
  local caption = d.content[1] and d.content[1].content or {}
  local widths = {}
  for i = 1, #cols do widths[i] = 0 end
  local made = P.utils.from_simple_table(P.SimpleTable(caption, aligns, widths, heads, rows))
  made.identifier = d.identifier
  return made
end

-- First pass: what has a label gets it ---------------------------------------------

-- "16 384", "4 KiB" and "19 %" are not broken over two lines.
local function tie_numbers(xs)
  for i = 2, #xs - 1 do
    local a, b = xs[i - 1], xs[i + 1]
    if xs[i].t == 'Space' and a.t == 'Str' and b.t == 'Str' and a.text:match '%d$'
      and (b.text:match '^[KMGT]iB%f[%A]' or b.text:match '^%%' or b.text:match '^[mn]s%f[%A]'
           or b.text:match '^%d%d%d%f[%D]' and a.text:match '%f[%d]%d%d?%d?$') then
      xs[i] = P.Str '\u{a0}'
    end
  end
  return xs
end

-- "{#eq:x}" after a display, "{#tab:x}" at a caption's end: pandoc has no syntax for either.
local function label_equations(xs)
  local i = 1
  while i < #xs do
    if xs[i].t == 'Math' and xs[i].mathtype == 'DisplayMath' then
      local j = i + 1
      if xs[j].t == 'Space' or xs[j].t == 'SoftBreak' then j = j + 1 end
      local id, rest
      if xs[j] and xs[j].t == 'Str' then id, rest = xs[j].text:match '^{#(eq:[%w-]+)}(.*)$' end
      if id then
        local m = xs[i]
        for _ = i, j do xs:remove(i) end
        xs:insert(i, P.Span({m}, {id = id, class = 'equation'}))
        if rest ~= '' then xs:insert(i + 1, P.Str(rest)) end
      end
    end
    i = i + 1
  end
  return xs
end

local function label_table(t)
  local b = t.caption.long and t.caption.long[1]
  if not b then return nil end
  local xs = b.content
  local id = xs[#xs] and xs[#xs].t == 'Str' and xs[#xs].text:match '^{#(tab:[%w-]+)}$'
  if not id then return nil end
  xs:remove()
  if xs[#xs] and (xs[#xs].t == 'Space' or xs[#xs].t == 'SoftBreak') then xs:remove() end
  t.caption.long = {P.Plain(xs)}
  t.attr = P.Attr(id)
  return t
end

-- Code ---------------------------------------------------------------------------

local function split(s)
  local t = {}
  for l in (s .. '\n'):gmatch '([^\n]*)\n' do t[#t + 1] = l end
  return t
end

-- marks: "line:column:length:kind:label ..." -> marks[line][column]
local function read_marks(s, own)
  local t = {}
  for l, col, len, k, to in (s or ''):gmatch '(%d+):(%d+):(%d+):(%a):(%S+)' do
    l, col = tonumber(l), tonumber(col)
    t[l] = t[l] or {}
    if to ~= own then t[l][col] = {len = tonumber(len), kind = k, to = to} end
  end
  return t
end

-- Cut each line into {class, text, link}; class "use" is the use of a chunk.
local function pieces(lines, marks, is_c)
  local toks = is_c and lex(lines) or {}
  local out = {}
  for n, s in ipairs(lines) do
    local o, col, mk = {}, 1, marks[n] or {}
    for _, t in ipairs(toks[n] or {{'', s}}) do
      local class, x = t[1], t[2]
      local at = col
      while at < col + #x do                    -- cut at noweb's marks
        local stop, m = col + #x, mk[at]
        if m and m.kind == 'c' then
          o[#o + 1] = {'use', s:sub(at, at + m.len - 1), m.to}
          at = at + m.len
        else
          local len = m and class ~= 'st' and math.min(m.len, stop - at) or nil
          local e = at + (len or 1)
          if not len then while e < stop and not (mk[e] and class ~= 'st') do e = e + 1 end end
          o[#o + 1] = {class, s:sub(at, e - 1), len and m.to}
          at = e
        end
      end
      col = math.max(col + #x, at)
      if col > #s then break end
    end
    -- A use runs over several tokens: drop what it has covered.
    local kept, pos = {}, 1
    for _, p in ipairs(o) do
      if pos <= #s then kept[#kept + 1] = p end
      pos = pos + #p[2]
    end
    out[n] = kept
  end
  return out
end

local function use_line(s, marks)               -- indentation and the chunk used, if any
  for col, m in pairs(marks or {}) do
    if m.kind == 'c' then return s:sub(1, col - 1), s:sub(col, col + m.len - 1), m.to, s:sub(col + m.len) end
  end
end

local name_tex, name_html = {}, {}              -- a chunk's label -> its name, set
local tag                                       -- below
local to_tex

local function chunk_use(to)
  if tex then return ('\\chunkuse{%s}{%s}'):format(to, name_tex[to] or '?') end
  return name_html[to]
end

local function tex_line(ps)
  local o = {}
  for _, p in ipairs(ps) do
    local class, s, to = p[1], tex_code(p[2]), p[3]
    if to then s = ('\\hyperlink{%s}{%s}'):format(to, s) end
    if class == 'kw' or class == 'co' or class == 'st' or class == 'pp' then
      s = ('\\C%s{%s}'):format(class, s)
    end
    o[#o + 1] = s
  end
  return table.concat(o)
end

local function tex_lines(text, marks, is_c)
  local lines, o = split(text), {}
  local ps = pieces(lines, marks, is_c)
  for n, s in ipairs(lines) do
    local indent, _, to, rest = use_line(s, marks[n])
    local body = to and tex_code(indent) .. chunk_use(to) .. tex_code(rest) or tex_line(ps[n])
    -- Where a page may end: best at a blank line, hardly in a short chunk, never
    -- near its ends, after {, before } or inside a remark.
    local after = lines[n + 1] or ''
    local short = #lines <= 8 and 600 or #lines <= 12 and 250 or 60
    if s:match '^%s*$' then o[n] = ('\\codegap{%d}'):format((n <= 2 or n >= #lines - 2) and 10000 or short > 60 and short or -10)
    else
      local p = (n <= 2 or n >= #lines - 2 or s:match '{%s*$' or after:match '^%s*}' or after:match '^%s*{'
        or after:match '^%s* %*') and 10000 or after:match '^%s*$' and 10000 or short
      o[n] = ('\\codeline{%s}{%d}'):format(body, p)
    end
  end
  return table.concat(o, '\n')
end

-- HTML: raw text between the links, which stay Links so that EPUB can move them.
local function html_lines(text, marks, is_c)
  local lines, xs, buf = split(text), P.List {}, {'<pre class="code"><code>'}
  local ps = pieces(lines, marks, is_c)
  local function flush()
    if #buf > 0 then xs:insert(rawi(table.concat(buf))); buf = {} end
  end
  local function link(s, to, class)
    flush()
    xs:insert(P.Link({P.Str(s)}, '#' .. to, '', {class = class}))
  end
  for n, s in ipairs(lines) do
    if n > 1 then buf[#buf + 1] = '\n' end
    local indent, _, to, rest = use_line(s, marks[n])
    if to then
      buf[#buf + 1] = html_code(indent); flush()
      xs:insert(P.Link(name_html[to], '#' .. to, '', {class = 'use'}))
      buf[#buf + 1] = html_code(rest)
    else
      for _, p in ipairs(ps[n]) do
        local class = p[1]
        if p[3] then link(p[2], p[3], class == 'co' and 'id co' or 'id')
        elseif class == '' or class == 'id' then buf[#buf + 1] = html_code(p[2])
        else buf[#buf + 1] = ('<span class="%s">%s</span>'):format(class, html_code(p[2])) end
      end
    end
  end
  buf[#buf + 1] = '</code></pre>'; flush()
  return P.Plain(xs)
end

-- Chunks -------------------------------------------------------------------------

function tag(label)                             -- a chunk's number: 42a, or 3.7 on the screen
  if tex then return rawi('\\chunkpage{' .. label .. '}') end
  return P.Link({P.Str(number[label] or '?')}, '#' .. label, '', {class = 'tag'})
end

local function listed(xs, items)                -- "a, b and c"
  for i, item in ipairs(items) do
    xs:insert(i == 1 and P.Space() or i == #items and rawi ' and ' or rawi ', ')
    xs:extend(item)
  end
end

local function code_inline(s, to)
  if tex then
    s = '\\code{' .. tex_inline_code(s) .. '}'
    return rawi(to and ('\\idlink{%s}{%s}'):format(to, s) or s)
  end
  local c = P.Code(s, {class = 'word'})         -- set; not to be looked at again
  return to and P.Link({c}, '#' .. to, '', {class = 'id'}) or c
end

local function footer(d)
  local a, xs = d.attributes, P.List {}
  local function say(lead, items)
    if #items == 0 then return end
    if #xs > 0 then xs:insert(P.Space()) end
    xs:insert(P.Str(lead)); listed(xs, items); xs:insert(P.Str '.')
  end
  local function tags(s) local t = {}; for l in words(s) do t[#t + 1] = {tag(l)} end; return t end
  local defs, uses = {}, {}
  for id in words(a.defs) do defs[#defs + 1] = {code_inline(id)} end
  for id, to in (a.uses or ''):gmatch '(%S+)=(%S+)' do
    uses[#uses + 1] = {code_inline(id, to), rawi(tex and '~' or ' '), tag(to)}
  end
  say('This definition is continued in', tags(a.also))
  say('Used in', tags(a.usedin))
  say('Defines', defs)
  say('Uses', uses)
  return xs
end

local function chunk(d)
  local a, code = d.attributes, d.content[2].text
  local marks, foot = read_marks(a.marks, d.identifier), footer(d)
  local is_c = a.lang == 'c'
  if tex then
    local first = P.RawBlock('latex', ('\\begin{chunk}{%s}{%s}{%s}{%s}{%s}\n%s\n\\end{chunk}'):format(
      d.identifier, a.ref, name_tex[a.ref], a.prev, a.next, tex_lines(code, marks, is_c)))
    foot:insert(1, rawi(#foot > 0 and '\\chunkfoot{' or '\\chunkend{')); foot:insert(rawi '}')
    return {first, P.Plain(foot)}
  end
  local head = P.List {rawi '<span class="name">⟨'}
  head:extend(d.content[1].content); head:insert(rawi ' ')
  head:insert(tag(d.identifier))
  head:insert(rawi('⟩<span class="sign">' .. (a.prev ~= '' and '+≡' or '≡') .. '</span></span>'))
  if a.prev ~= '' or a.next ~= '' then
    head:insert(rawi '<span class="turn">')
    if a.prev ~= '' then head:insert(P.Link({P.Str('◁ ' .. number[a.prev])}, '#' .. a.prev, 'continues')) end
    if a.next ~= '' then head:insert(P.Link({P.Str(number[a.next] .. ' ▷')}, '#' .. a.next, 'continued')) end
    head:insert(rawi '</span>')
  end
  local all = P.List {P.Div({P.Plain(head)}, {class = 'chunkhead'}), html_lines(code, marks, is_c)}
  if #foot > 0 then all:insert(P.Div({P.Plain(foot)}, {class = 'chunkfoot'})) end
  local attr = {id = d.identifier, class = 'chunk'}
  if FORMAT:match '^html' then attr.name, attr.defs = a.name, a.defs end     -- for site.lua
  return P.Div(all, attr)
end

local function prepare_names(doc)
  doc:walk {Div = function(d)
    if not has(d, 'chunk') or d.attributes.ref ~= d.identifier then return end
    local xs = d.content[1].content
    if tex then name_tex[d.identifier] = to_tex(xs)
    else
      local t = P.List {P.Str '⟨'}
      t:extend(xs); t:insert(P.Str('\u{a0}' .. (number[d.identifier] or '?') .. '⟩'))
      name_html[d.identifier] = t
    end
  end}
end

-- References ----------------------------------------------------------------------

local function reference(c)
  local id, alone = c.citations[1].id, c.citations[1].mode == 'SuppressAuthor'
  local prefix = id:match '^(%a+)[:%-]'
  if not number[id] then
    if word_of[prefix] and (id:match '^%a+:' or prefix == 'sec' or prefix == 'ch' or prefix == 'ex' or prefix == 'part') then
      fault('@', id, ' refers to nothing'); return P.Str '??'
    end
    return nil                                  -- a citation
  end
  local word = alone and '' or kind[id] .. '\u{a0}'
  local n = number[id]
  local xs = P.List {}
  if #c.citations[1].prefix > 0 then xs:extend(c.citations[1].prefix); xs:insert(P.Space()) end
  if kind[id] == 'Equation' then n = '(' .. n .. ')' end
  if tex then
    xs:insert(rawi(('\\crosslink{%s}{%s%s}'):format(id, word:gsub('\u{a0}', '~'), n)))
  else
    xs:insert(P.Link({P.Str(word .. n)}, '#' .. id, '', {class = 'xref'}))
  end
  return xs
end

local function inline_code(c)
  local marks = c.attributes.marks
  if not marks then
    return code_inline(c.text, defined[c.text] or defined[c.text:match '^([%w_]+)%(%)$'])
  end
  local out, at = P.List {}, 1
  for col, len, to in marks:gmatch '(%d+):(%d+):(%S+)' do
    col, len = tonumber(col), tonumber(len)
    if col > at then out:insert(code_inline(c.text:sub(at, col - 1))) end
    out:insert(code_inline(c.text:sub(col, col + len - 1), to))
    at = col + len
  end
  if at <= #c.text then out:insert(code_inline(c.text:sub(at))) end
  return out
end

-- Blocks ---------------------------------------------------------------------------

local mains, part_open = false, nil
local function header(h)
  local id = h.identifier
  if h.level == 1 and tex then
    local t, before = to_tex(h.content), ''
    if not mains and not has(h, 'unnumbered') then mains, before = true, '\\mainmatter\n' end
    if has(h, 'appendix') and not h.attributes.seen then before = before .. '\\loomappendix\n' end
    if has(h, 'part') then return rawb(('%s\\loompart{%s}{%s}'):format(before, id, t)) end
    if has(h, 'unnumbered') then
      return rawb(('%s\\loomchapter{%s}{%s}'):format(has(h, 'back') and '\\loomback\n' or '', id, t))
    end
    return rawb(('%s\\chapter{%s}\\label{%s}\\hypertarget{%s}{}'):format(before, t, id, id))
  end
  if not tex and number[id] then
    local n = number[id]
    if h.level == 1 then n = kind[id] == 'Chapter' and n or kind[id] .. ' ' .. n end
    h.content:insert(1, P.Space())
    h.content:insert(1, P.Span({P.Str(n)}, {class = 'number'}))
    return h
  end
end

local answers, labs = P.List {}, {}             -- labs: a lab's number -> its exercise
local function exercise(d)
  local a, id, body, key = d.attributes, d.identifier, P.List {}, nil
  if id == '' then fault('an exercise has no label: ', text_of(d):sub(1, 40)) end
  if not a.rating or not a.rating:match '^H?M?%d%d$' then
    fault('exercise ', id, ' has no rating; write rating=15, M25 or HM40')
  end
  if a.lab then
    if labs[a.lab] then fault('lab ', a.lab, ' stands twice: ', labs[a.lab], ' and ', id) end
    labs[a.lab] = id
  end
  for _, b in ipairs(d.content) do
    if b.t == 'Div' and has(b, 'answer') then key = b.content else body:insert(b) end
  end
  local first = body[1]
  if not first or not (first.t == 'Para' or first.t == 'Plain') then
    body:insert(1, P.Para {}); first = body[1]
  end
  local n = number[id] or '?'
  if tex then
    first.content:insert(1, rawi(('\\exercise{%s}{%s}{%s}{%s}'):format(id, n, a.rating or '', a.lab or '')))
    if a.rec then first.content:insert(1, rawi '\\recommended') end
    body:insert(1, rawb '\\begin{exercisebody}'); body:insert(rawb '\\end{exercisebody}')
  else
    local lead = P.List {}
    if a.rec then lead:insert(rawi '<span class="rec" title="recommended">▷</span> ') end
    lead:insert(P.Strong {P.Str(n)})
    lead:insert(rawi((' <span class="rating">[%s]</span> '):format(a.rating or '')))
    if a.lab then lead:insert(P.Emph {P.Str('Lab ' .. a.lab .. '.')}); lead:insert(P.Space()) end
    lead:extend(first.content); first.content = lead
  end
  if key then
    local to = tex and rawi(('\\answerto{%s}{%s}'):format(id, n))
      or P.Link({P.Strong {P.Str(n)}}, '#' .. id)
    if key[1] and (key[1].t == 'Para' or key[1].t == 'Plain') then
      key[1].content:insert(1, P.Space()); key[1].content:insert(1, to)
    else key:insert(1, P.Para {to}) end
    if tex then answers:extend(key)
    else
      answers:insert(P.Div(key, {class = 'answer', id = 'answer-' .. id}))
      local last, go = body[#body], P.Link({P.Str 'Answer'}, '#answer-' .. id, '', {class = 'toanswer'})
      if last.t == 'Para' or last.t == 'Plain' then
        last.content:insert(P.Space()); last.content:insert(go)
      else body:insert(P.Plain {go}) end
    end
  end
  if tex then return body end
  return P.Div(body, {id = id, class = 'exercise'})
end

local function figure(p)
  if #p.content ~= 1 or p.content[1].t ~= 'Image' then return nil end
  local i = p.content[1]
  local n = number[i.identifier]
  local path = i.src:gsub('%.%w+$', '')
  local drawn = false
  for _, e in ipairs {'.tex', '.dot', '.gp'} do
    local f = io.open(path .. e)
    if f then f:close(); drawn = true end
  end
  if not drawn then
    fault('there is no ', path, '.tex, .dot or .gp')
    return P.Div({P.Para {P.Emph {P.Str('[' .. path .. ' is not drawn yet]')}}}, {id = i.identifier})
  end
  if tex then
    return rawb(('\\begin{figure}[%s]\\centering\\loomfigure{%s}%s\\end{figure}'):format(
      i.attributes.place or 'htbp', path,
      n and ('\\caption{%s}\\label{%s}'):format(to_tex(i.caption), i.identifier) or ''))
  end
  local caption = P.List {}
  if n then caption:extend {P.Span({P.Str('Figure ' .. n .. '.')}, {class = 'number'}), P.Space()} end
  caption:extend(i.caption)
  local image = P.Image(P.Inlines(P.Str(i.attributes.alt or text_of(i.caption))), i.src)
  return {rawb(('<figure id="%s">'):format(i.identifier)), P.Plain {image}, rawb '<figcaption>',
          P.Plain(caption), rawb '</figcaption></figure>'}
end

-- pandoc gives a table no widths, or guesses them from its dashes.  One that fits the
-- page is as wide as it comes; a wider one gets widths from what stands in it.
local page_chars = 92                           -- how many characters a page is wide
local function fit(t)
  local need, word, total = {}, {}, 0
  local function measure(row)
    for i, c in ipairs(row.cells) do
      local s, n, w = text_of(c.contents), 0, 0
      P.Div(c.contents):walk {RawInline = function(x)      -- code, set already
        if tex then s = s .. ' ' .. x.text:gsub('\\idlink{[^}]*}', ''):gsub('\\crosslink{[^}]*}', ''):gsub('\\%a+', ''):gsub('[{}\\]', '') end
      end}
      n = utf8.len(s) or #s
      for x in s:gmatch '[^%s_]+_?' do w = math.max(w, (utf8.len(x) or #x) * 1.15) end
      need[i] = math.max(need[i] or 0, n * 1.05 + 2.7)
      word[i] = math.max(word[i] or 0, w + 2.7)
    end
  end
  for _, r in ipairs(t.head.rows) do measure(r) end
  for _, b in ipairs(t.bodies) do for _, r in ipairs(b.body) do measure(r) end end
  local given = false
  for i, c in ipairs(t.colspecs) do
    given = given or (c[2] or 0) > 0
    total = total + (need[i] or 0)
  end
  if total <= page_chars then
    if given then for i, c in ipairs(t.colspecs) do t.colspecs[i] = {c[1]} end end
    return
  end
  -- Each column gets its longest word; what is left goes where it is needed.
  local left, wish = page_chars, 0
  for i = 1, #need do
    word[i] = math.min(word[i], need[i])
    left, wish = left - word[i], wish + need[i] - word[i]
  end
  for i, c in ipairs(t.colspecs) do
    local w = word[i] + math.max(left, 0) * (need[i] - word[i]) / math.max(wish, 1)
    t.colspecs[i] = {c[1], w / page_chars}
    -- Too wide even so: short columns stay whole, others have room for two words, and all is set smaller.
    if left < 0 then t.colspecs[i] = {c[1], (need[i] <= 14 and need[i] or word[i] * 1.6) / page_chars} end
  end
end

-- A table of up to twelve rows stays whole; a longer one that goes on overleaf takes three
-- rows along, and leaves three behind.
local function hold_rows(t)
  for _, body in ipairs(t.bodies) do
    local n = #body.body
    for i, row in ipairs(body.body) do
      local b = row.cells[1] and row.cells[1].contents[1]
      if b and b.content and i > 1 and (n <= 12 or i <= 3 or i > n - 2) then
        b.content:insert(1, rawi '\\noalign{\\nobreak}')
      end
    end
  end
end

-- How many lines a table takes: what stands in a cell, over the width of its column.
local function lines_of(t)
  local lines = 0
  for _, body in ipairs(t.bodies) do
    for _, row in ipairs(body.body) do
      local most = 1
      for i, c in ipairs(row.cells) do
        local width = t.colspecs[i][2]
        local n = utf8.len(text_of(c.contents)) or 0
        if width and width > 0 then most = math.max(most, math.ceil((n + 3) / (width * page_chars))) end
      end
      lines = lines + most
    end
  end
  return lines
end

-- A numbered table that fits on a page may go to the top of the next one like a figure, and
-- the text goes on before it (float.lua).  Up to `tight` lines fit, if they are set tighter.
local loose, tight = 24, 44

-- A table that opens a section stays under its heading.
local function stay(blocks)
  for i, b in ipairs(blocks) do
    if b.t == 'Table' and i > 1 and blocks[i - 1].t == 'Header' then b.attr.classes:insert('here') end
  end
  return blocks
end

local function table_(t)
  if tex then fit(t) end
  local n = number[t.identifier]
  local b = t.caption.long and t.caption.long[1]
  if n and b then
    if tex then b.content:insert(1, rawi('\\label{' .. t.identifier .. '}'))
    else
      b.content:insert(1, P.Space())
      b.content:insert(1, P.Span({P.Str('Table ' .. n .. '.')}, {class = 'number'}))
    end
    t.caption.long = {P.Plain(b.content)}
  end
  if not tex then return P.Div({t}, {class = 'tablebox'}) end
  local lines = n and b and lines_of(t) or math.huge
  if lines <= tight and not has(t, 'here') then
    return {rawb('\\begin{loomfloat}{' .. (lines > loose and '.84' or '1') .. '}'), t, rawb '\\end{loomfloat}'}
  end
  hold_rows(t)
  return {rawb '\\begin{loomtable}', t, rawb '\\end{loomtable}'}
end

-- How many lines belong on one page from block `at` on: a short table all of it; and a
-- heading with the beginning of an aside, a list or a table under it, which TeX might part.
local function together(blocks, at)
  local b, lines = blocks[at], 0
  if b.t == 'Header' then
    at, lines = at + 1, 4
    b = blocks[at]
    if b and b.t == 'BlockQuote' then return lines + 4 end
    local list = blocks[at + 1]
    if b and b.t == 'Para' and #text_of(b.content) < 100 and list
        and (list.t == 'BulletList' or list.t == 'OrderedList') then return lines + 5 end
  end
  if not (b and b.t == 'RawBlock' and b.text == '\\begin{loomtable}') then return nil end
  local rows = 0
  for _, body in ipairs(blocks[at + 1].bodies) do rows = rows + #body.body end
  return lines + (rows <= 14 and rows or 5) + 5
end

local function index(d)
  local o, blocks, letter = {}, P.List {}, nil
  for _, l in ipairs(d.content[1].content) do
    local e = l[1]
    local xs, seen = P.List {}, {}
    local is_id = d.identifier == 'index-of-identifiers'
    if is_id then xs:insert(code_inline(e.attributes.name, e.attributes.ref))
    elseif tex then xs:insert(rawi(('\\chunkentry{%s}{%s}'):format(e.attributes.ref, name_tex[e.attributes.ref] or '?')))
    else xs:insert(P.Link(e.content, '#' .. e.attributes.ref, '', {class = 'use'})) end
    local sep = tex and '\\enspace ' or ' '
    for w in words(e.attributes.defs) do
      xs:insert(rawi(sep)); sep = ', '; seen[w] = true
      xs:insert(tex and rawi('\\textbf{\\chunkpage{' .. w .. '}}') or P.Strong {tag(w)})
    end
    for w in words(e.attributes.uses) do
      if not seen[w] then xs:insert(rawi(sep)); sep = ', '; xs:insert(tag(w)); seen[w] = true end
    end
    local initial = e.attributes.name:sub(1, 1):upper()
    if not initial:match '[%a_]' then initial = '·' end
    if tex then
      if initial ~= letter then o[#o + 1] = '\\indexletter{' .. initial:gsub('_', '\\_') .. '}' end
      o[#o + 1] = '\\item ' .. to_tex(xs)
    else
      if initial ~= letter then
        blocks:insert(P.Para {P.Strong {P.Str(initial)}}); blocks:insert(P.BulletList {})
      end
      local list = blocks[#blocks]
      list.content:insert({P.Plain(xs)})
    end
    letter = initial
  end
  if tex then
    return rawb('\\begin{loomindex}\n' .. table.concat(o, '\n') .. '\n\\end{loomindex}')
  end
  return P.Div(blocks, {id = d.identifier, class = 'index'})
end

-- The subject index: pages on paper, sections on a screen.
local function subject_index(entries)
  local o, items, letter = {}, P.List {}, nil
  for _, e in ipairs(entries) do
    local initial = (e.head or e.name):sub(1, 1):upper()
    local xs = P.List {P.Str(e.name)}
    for _, p in ipairs(e.places) do
      if tex then xs:insert(rawi(('\\subject%s{%d}'):format(p.defines and 'main' or 'page', p.at)))
      else
        local link = P.Link({P.Str(number[p.section.id])}, '#' .. p.section.id)
        xs:extend {P.Str(p == e.places[1] and ' ' or ', '), p.defines and P.Strong {link} or link}
      end
    end
    if e.see then xs:extend {P.Str ', ', P.Emph {P.Str 'see'}, P.Space(), P.Str(e.see)} end
    if tex then
      if initial ~= letter then o[#o + 1] = '\\indexletter{' .. initial .. '}' end
      o[#o + 1] = (e.head and '\\subjectpart ' or '\\subject ') .. to_tex(xs)
    else
      if initial ~= letter then
        items:insert(P.Para {P.Strong {P.Str(initial)}}); items:insert(P.BulletList {})
      end
      local list = items[#items].content
      local item = list[#list]
      if e.head and item[#item].t == 'BulletList' then
        local parts = item[#item].content
        table.insert(parts, {P.Plain(xs)})
        item[#item].content = parts
      elseif e.head then table.insert(item, P.BulletList {{P.Plain(xs)}})
      else table.insert(list, {P.Plain(xs)}) end
      items[#items].content = list
    end
    letter = initial
  end
  if tex then return rawb('\\begin{loomindex}\n' .. table.concat(o, '\n') .. '\n\\end{loomindex}') end
  return P.Div(items, {id = 'index-of-subjects', class = 'index'})
end

-- All of it ------------------------------------------------------------------------

-- Inlines to LaTeX, once for each different text.
local made = {}
function to_tex(xs)
  local key = tostring(P.Plain(xs))
  if not made[key] then
    local p = P.Pandoc {P.Plain(xs)}
    p = p:walk {Code = inline_code, Cite = reference}
    made[key] = P.write(p, 'latex', P.WriterOptions {wrap_text = 'wrap-none'}):gsub('\n', ' ')
  end
  return made[key]
end

function Pandoc(doc)
  doc = doc:walk {Inlines = label_equations, Table = label_table}
  doc = doc:walk {Inlines = tie_numbers}
  if not tex then                               -- MathML has no sized brackets; it sizes them itself
    doc = doc:walk {Math = function(m)
      m.text = m.text:gsub('\\[bB]igg?l%f[^%a]', '\\left'):gsub('\\[bB]igg?r%f[^%a]', '\\right')
      return m
    end}
  end
  count(doc)
  prepare_names(doc)
  local entries = subjects.collect(here .. 'subjects.txt', doc.blocks, number, fault)
  if tex then
    doc.blocks = subjects.marked(doc.blocks, entries, function(n) return rawi(('\\subjectmark{%d}'):format(n)) end)
  end

  local function links(l)
    local where = l.target:match '^data:(.+)$'
    if where then return P.Str(cell(where, text_of(l.content))) end
  end
  local first = {
    Div = function(d)
      if has(d, 'csv') then return csv_table(d) end
      if has(d, 'chunk') then return chunk(d) end
    end,
    Link = links,
  }
  doc = doc:walk(first)
  if tex then doc.blocks = stay(doc.blocks) end
  -- Chunks are set: only RawBlocks (LaTeX) or finished Divs (HTML) are left of them.
  doc = doc:walk {
    Cite = reference,
    Code = function(c) if not has(c, 'word') then return inline_code(c) end end,
    Span = function(s)
      if has(s, 'chunkref') then
        local to = s.attributes.to
        if tex then return rawi(chunk_use(to)) end
        return P.Link(name_html[to] or {P.Str '?'}, '#' .. to, '', {class = 'use'})
      elseif has(s, 'edition') then return code_inline((edition:gsub("%x%x%x%x%x%x%x%x", "%0 "):gsub(" $", "")))
      elseif has(s, 'equation') then
        if tex then
          return rawi(('\\begin{equation}\\label{%s}%s\\end{equation}'):format(s.identifier, s.content[1].text))
        end
        s.content:insert(P.Span({P.Str('(' .. number[s.identifier] .. ')')}, {class = 'eqno'}))
        return s
      end
    end,
  }
  doc = doc:walk {
    Para = figure, Table = table_,
    CodeBlock = function(b)
      local is_c = has(b, 'c') or has(b, 'C')
      if tex then return rawb('\\begin{codeblock}\n' .. tex_lines(b.text, {}, is_c) .. '\n\\end{codeblock}') end
      return P.Div({html_lines(b.text, {}, is_c)}, {class = 'codeblock'})
    end,
    Div = function(d)
      if has(d, 'index') and d.content[1] and d.content[1].t == 'LineBlock' then return index(d) end
      if d.identifier == 'index-of-subjects' then return subject_index(entries) end
    end,
  }
  -- Now the order matters: chapters, exercises, and last the answers.
  local out = P.List {}
  local seen_appendix, in_back = false, false
  local after_chunk, before = false, nil
  for at, b in ipairs(doc.blocks) do
    if tex and before ~= 'Header' then
      local lines = together(doc.blocks, at)
      if lines then out:insert(rawb(('\\needspace{%d\\baselineskip}'):format(lines))) end
    end
    if tex and after_chunk and b.t == 'Para' then b.content:insert(1, rawi '\\noindent{}') end
    if tex and before == 'Para' and b.t == 'RawBlock' and b.text:match '^\\begin{chunk}' then
      out:insert(rawb '\\keepwithnext')
    end
    before = b.t
    after_chunk = b.t == 'Plain' and b.content[1] and b.content[1].t == 'RawInline'
      and b.content[1].text:match '^\\chunk[fe]' ~= nil
    if b.t == 'Header' then
      if b.level == 1 and part_open then out:insert(rawb '\\end{loompartpage}'); part_open = nil end
      if has(b, 'appendix') then
        if seen_appendix then b.attributes.seen = 'yes' end
        seen_appendix = true
      end
      if b.level == 1 and has(b, 'unnumbered') and mains and not in_back then
        in_back = true; b.classes:insert 'back'
      end
      if not has(b, 'unnumbered') and b.level == 1 and not tex then mains = true end
      local is_part = has(b, 'part')
      out:insert(header(b) or b)
      if is_part and tex then out:insert(rawb '\\begin{loompartpage}'); part_open = true end
    elseif b.t == 'Div' and has(b, 'exercise') then
      local r = exercise(b)
      if r.t == 'Div' then out:insert(r) else out:extend(r) end
    elseif b.t == 'Div' and b.identifier == 'answers' then
      if tex then
        out:insert(rawb '\\begin{answers}'); out:extend(answers); out:insert(rawb '\\end{answers}')
      else out:insert(P.Div(answers, {id = 'answers'})) end
    else out:insert(b) end
  end
  doc.blocks = out
  if #faults > 0 then
    for _, f in ipairs(faults) do io.stderr:write(f, '\n') end
    io.stderr:write('weave: make lint names the lines; make DRAFT=1 weaves all the same\n')
    if (os.getenv 'LOOM_DRAFT' or '') == '' then os.exit(1) end
  end
  return doc
end
