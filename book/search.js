/* search.js -- finds chapters, sections, chunks and names in BOOK, a list of
   [kind, name, where] that index.js brings.  The pages are whole without it. */
(function () {
  "use strict";
  var place = document.getElementById("search");
  if (!place || typeof BOOK === "undefined") return;

  var label = document.createElement("label");
  label.textContent = "Find ";
  var input = document.createElement("input");
  input.type = "search";
  input.placeholder = "a chapter, a chunk, a name";
  input.setAttribute("aria-controls", "found");
  label.appendChild(input);
  var list = document.createElement("ul");
  list.id = "found";
  list.setAttribute("aria-label", "Found");
  list.setAttribute("aria-live", "polite");
  place.setAttribute("role", "search");
  place.appendChild(label);
  place.appendChild(list);

  /* How well an entry answers: smaller is better, -1 not at all. */
  function rank(name, words) {
    var low = name.toLowerCase();
    for (var i = 0; i < words.length; i++) if (low.indexOf(words[i]) < 0) return -1;
    var at = low.indexOf(words[0]);
    return (low === words[0] ? 0 : at === 0 ? 1 : /\W/.test(low.charAt(at - 1)) ? 2 : 3) * 1000 + low.length;
  }

  function look() {
    var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    list.textContent = "";
    if (!words.length) return;
    BOOK.map(function (e) { return [rank(e[1], words), e]; })
      .filter(function (x) { return x[0] >= 0; })
      .sort(function (a, b) { return a[0] - b[0]; })
      .slice(0, 25)
      .forEach(function (x) {
        var e = x[1], item = document.createElement("li"), a = document.createElement("a");
        var kind = document.createElement("span");
        kind.className = "kind";
        kind.textContent = e[0];
        a.href = e[2];
        a.appendChild(kind);
        a.appendChild(document.createTextNode(e[0] === "chunk" ? "⟨" + e[1] + "⟩" : e[1]));
        item.appendChild(a);
        list.appendChild(item);
      });
    if (!list.firstChild) {
      var none = document.createElement("li");
      none.textContent = "Nothing has this name.";
      none.style.padding = ".3em .8em";
      list.appendChild(none);
    }
  }

  input.addEventListener("input", look);
  document.addEventListener("keydown", function (e) {
    var typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (e.key === "/" && !typing) { input.focus(); e.preventDefault(); }
    if (e.key === "Escape") { input.value = ""; look(); }
    if ((e.key === "ArrowDown" || e.key === "ArrowUp") && list.firstChild && place.contains(document.activeElement)) {
      var all = [input].concat([].slice.call(list.querySelectorAll("a")));
      var i = all.indexOf(document.activeElement) + (e.key === "ArrowDown" ? 1 : -1);
      if (all[i]) { all[i].focus(); e.preventDefault(); }
    }
  });
}());
