-- float.lua -- makes of each table between \\begin{loomfloat} and \\end{loomfloat} one that can
-- float.  A filter for the PDF only; after the citations, for it turns the table into LaTeX.
--
-- pandoc writes a longtable, whose caption is a row and whose head stands there twice.

function Blocks(blocks)
  for i, t in ipairs(blocks) do
    local before = blocks[i - 1]
    if t.t == 'Table' and before and before.t == 'RawBlock' and before.text:match '^\\begin{loomfloat}' then
      local s = pandoc.write(pandoc.Pandoc {t}, 'latex', pandoc.WriterOptions {wrap_text = 'wrap-none'})
      local columns, caption, head, body = s:match(
        '^%s*\\begin{longtable}%[%](%b{})%s*(\\caption.-)\\tabularnewline\n(.-)\\endfirsthead'
        .. '.-\\endhead\n(.*)\\end{longtable}')
      assert(columns, 'float.lua: pandoc writes tables in a way that is not known here:\n' .. s:sub(1, 400))
      blocks[i] = pandoc.RawBlock('latex', ('%s\n\\begin{loomtabular}%s\n%s%s\\end{loomtabular}')
                                           :format(caption, columns, head, body))
    end
  end
  return blocks
end
