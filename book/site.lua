-- site.lua -- the last filter of the HTML book: one page a chapter.
--
-- Writes $SITE/*.html and $SITE/index.js, what search.js looks through.  Runs after
-- weave.lua and citeproc; what it returns is thrown away.

local P = pandoc
local here = PANDOC_SCRIPT_FILE:match '^(.*/)' or ''
local out = os.getenv 'SITE' or 'build/book/html'
local text = P.utils.stringify

local function read(path)
  local f = assert(io.open(path))
  local s = f:read 'a'
  f:close()
  return s
end

local function write(name, s)
  local f = assert(io.open(out .. '/' .. name, 'w'))
  f:write(s)
  f:close()
end

local function json(s)
  return '"' .. s:gsub('[\\"]', '\\%0'):gsub('\n', ' '):gsub('<', '\\u003c') .. '"'
end

local function escape(s) return (s:gsub('[&<>"]', {['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;', ['"'] = '&quot;'})) end

-- The pages: a page begins at each heading of the first level.
local function cut(blocks)
  local pages = {}
  for _, b in ipairs(blocks) do
    if b.t == 'Header' and b.level == 1 then
      pages[#pages + 1] = {file = b.identifier .. '.html', id = b.identifier, title = b.content,
        part = b.classes:includes 'part', blocks = P.List {}, sections = {}}
    elseif b.t == 'Header' and b.level == 2 and #pages > 0 then
      table.insert(pages[#pages].sections, {id = b.identifier, title = b.content})
    end
    if #pages > 0 then pages[#pages].blocks:insert(b) end
  end
  return pages
end

-- Where each label has gone, and what can be searched for.
local function survey(pages)
  local where, found = {}, {}
  local function add(kind, name, page, id)
    found[#found + 1] = ('[%s,%s,%s]'):format(json(kind), json(name), json(page.file .. (id and '#' .. id or '')))
  end
  for _, p in ipairs(pages) do
    add(p.part and 'part' or 'chapter', text(p.title), p)
    where[p.id] = p.file
    local function at(x) if x.identifier ~= '' then where[x.identifier] = p.file end end
    P.Pandoc(p.blocks):walk {
      Header = function(h)
        at(h)
        if h.level > 1 then add('section', text(h.content), p, h.identifier) end
      end,
      Div = function(d)
        at(d)
        if d.classes:includes 'chunk' then
          add('chunk', d.attributes.name:gsub('%[%[(.-)%]%]', '%1'), p, d.identifier)
          for id in (d.attributes.defs or ''):gmatch '%S+' do add('name', id, p, d.identifier) end
        end
      end,
      Span = at, Image = at, CodeBlock = at, Table = at,
      RawBlock = function(r)
        local id = r.text:match '^<figure id="([^"]+)"'
        if id then where[id] = p.file end
      end,
    }
  end
  return where, found
end

-- A drawing at 1.2 times its size on paper, as the text is; its size is in the file's head.
local function drawing(i)
  local f = io.open('build/' .. i.src)
  if not f then return nil end
  local w, h = f:read(400):match 'width="([%d.]+)[pt]*" height="([%d.]+)'
  f:close()
  if not w then return nil end
  i.attributes.width = ('%d'):format(math.ceil(w * 1.6))
  i.attributes.height = ('%d'):format(math.ceil(h * 1.6))
  return {P.RawInline('html', '<span class="drawing">'), i, P.RawInline('html', '</span>')}
end

-- The first words of a page, for those who list pages.
local function about(p)
  for _, b in ipairs(p.blocks) do
    if b.t == 'Para' then
      local s = text(b)
      if #s > 160 then s = s:sub(1, 160):gsub('[^ ]*$', '') .. '…' end
      return escape(s)
    end
  end
  return escape(text(p.title))
end

-- Pandoc writes two things that screen readers stumble over: empty heads of columns, and
-- roles for a bibliography that are good in EPUB alone.
local function tidy(s)
  return (s:gsub('<th([^>]*)></th>', '<td%1></td>'):gsub('role="doc%-bibliography"', 'role="list"')
    :gsub('role="doc%-biblioentry"', 'role="listitem"'))
end

local function contents(pages, here_)
  local o = {'<ol class="contents">'}
  for _, p in ipairs(pages) do
    local inner = P.write(P.Pandoc {P.Plain(p.title)}, 'html5')
    o[#o + 1] = ('<li%s><a href="%s"%s>%s</a>'):format(p.part and ' class="part"' or '', p.file,
      p == here_ and ' aria-current="page"' or '', inner)
    if (not here_ or p == here_) and #p.sections > 0 then
      o[#o + 1] = '<ol>'
      for _, s in ipairs(p.sections) do
        o[#o + 1] = ('<li><a href="%s#%s">%s</a></li>'):format(p.file, s.id,
          P.write(P.Pandoc {P.Plain(s.title)}, 'html5'))
      end
      o[#o + 1] = '</ol>'
    end
    o[#o + 1] = '</li>'
  end
  o[#o + 1] = '</ol>'
  return table.concat(o, '\n')
end

function Pandoc(doc)
  local template = P.template.compile(read(here .. 'page.html'))
  local pages = cut(doc.blocks)
  local where, found = survey(pages)
  local opts = P.WriterOptions {template = template, html_math_method = 'mathml', wrap_text = 'wrap-none'}
  local book = text(doc.meta.title)
  local function link(p, word)
    return P.MetaMap {file = p.file, title = escape(text(p.title)), word = word}
  end
  local function raw(s) return P.MetaBlocks {P.RawBlock('html', s)} end

  for i, p in ipairs(pages) do
    local d = P.Pandoc(p.blocks):walk {Link = function(l)
      local id = l.target:match '^#(.+)$'
      if id and where[id] and where[id] ~= p.file then l.target = where[id] .. '#' .. id; return l end
    end, Div = function(d)
      if d.classes:includes 'chunk' then d.attributes.name, d.attributes.defs = nil, nil; return d end
    end, Image = drawing, Math = function(m)
      if m.mathtype == 'DisplayMath' then return P.Span({m}, {class = 'displaymath'}) end
      if #m.text > 36 then return P.Span({m}, {class = 'widemath'}) end
    end}
    if p.part then
      local of = {}
      for k = i + 1, #pages do
        if pages[k].part or not pages[k].id:match '^ch%-' then break end
        of[#of + 1] = pages[k]
      end
      d.blocks:insert(P.RawBlock('html', contents(of, of)))
    end
    d.meta = P.Meta {title = escape(text(p.title)), book = book, lang = 'en', about = about(p),
      prev = pages[i - 1] and link(pages[i - 1]) or link {file = 'index.html', title = {P.Str 'Contents'}},
      next = pages[i + 1] and link(pages[i + 1]),
      contents = raw(contents(pages, p))}
    write(p.file, tidy(P.write(d, 'html5', opts)))
  end

  local front = P.Pandoc {
    P.RawBlock('html', ('<h1 class="title">%s</h1><p class="subtitle">%s</p><p class="by">%s</p>'):format(
      escape(book), escape(text(doc.meta.subtitle)), escape(text(doc.meta.author)))),
    P.RawBlock('html', '<nav aria-label="Contents">' .. contents(pages) .. '</nav>'),
    P.Para(P.List {P.Emph(doc.meta.rights)})}
  front.meta = P.Meta {title = 'Contents', book = book, about = escape(text(doc.meta.subtitle)), lang = 'en', next = link(pages[1]), index = true}
  write('index.html', P.write(front, 'html5', opts))
  write('index.js', 'const BOOK = [\n' .. table.concat(found, ',\n') .. '\n];\n')
  return P.Pandoc {}
end
