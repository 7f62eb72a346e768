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
  var status = document.createElement("p");        /* says how many, for those who hear the page */
  status.setAttribute("role", "status");
  place.setAttribute("role", "search");
  place.appendChild(label);
  place.appendChild(list);
  place.appendChild(status);

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
    status.textContent = "";
    if (!words.length) return;
    var found = BOOK.map(function (e) { return [rank(e[1], words), e]; })
      .filter(function (x) { return x[0] >= 0; })
      .sort(function (a, b) { return a[0] - b[0]; });
    found.slice(0, 25).forEach(function (x) {
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
    status.textContent = found.length + " found";
    if (!found.length || found.length > 25) {
      var more = document.createElement("li");
      more.className = "none";
      more.textContent = found.length ? "and " + (found.length - 25) + " more" : "Nothing has this name.";
      list.appendChild(more);
    }
  }

  input.addEventListener("input", look);
  document.addEventListener("keydown", function (e) {
    var typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (e.key === "/" && !typing) { input.focus(); e.preventDefault(); }
    if (e.key === "Escape" && place.contains(document.activeElement)) { input.value = ""; look(); input.focus(); }
    if (e.key === "Enter" && document.activeElement === input && list.querySelector("a")) list.querySelector("a").click();
    if ((e.key === "ArrowDown" || e.key === "ArrowUp") && list.firstChild && place.contains(document.activeElement)) {
      var all = [input].concat([].slice.call(list.querySelectorAll("a")));
      var i = all.indexOf(document.activeElement) + (e.key === "ArrowDown" ? 1 : -1);
      if (all[i]) { all[i].focus(); e.preventDefault(); }
    }
  });
  /* What was found goes away when one has chosen, or turns to something else. */
  list.addEventListener("click", function (e) { if (e.target.closest("a")) { input.value = ""; look(); } });
  input.addEventListener("focus", look);
  place.addEventListener("focusout", function (e) { if (e.relatedTarget && !place.contains(e.relatedTarget)) list.textContent = ""; });
  document.addEventListener("pointerdown", function (e) { if (!place.contains(e.target)) list.textContent = ""; });
}());

/* The contents stand open where there is room beside the text, at the present chapter. */
(function () {
  "use strict";
  var side = document.querySelector(".side"), here = side && side.querySelector("[aria-current]");
  if (!here || !window.matchMedia("(min-width: 66em)").matches) return;
  side.querySelector("details").open = true;
  var down = here.getBoundingClientRect().top - side.getBoundingClientRect().top;
  if (down > side.clientHeight / 2) side.scrollTop = down - 60;
}());

/* What is wider than its box can be scrolled with the arrow keys in every browser. */
(function () {
  "use strict";
  function reach() {
    document.querySelectorAll("pre.code, .tablebox, .equation, .displaymath, .widemath, .drawing").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    });
  }
  window.addEventListener("load", reach);
  window.addEventListener("resize", reach);
}());
