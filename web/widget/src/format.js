// A very small Markdown: paragraphs, lists, headings, **bold** and links. Everything else stays what it is: text.
const INLINE = /\*\*([^*]+)\*\*|\[([^\]\n]{1,200})\]\(([^()\s]{1,500})\)|(https?:\/\/[^\s<>"'）】，。；]+[^\s<>"'）】，。；.,;:!?)])/g;

function inline(text, base) {
  const out = [];
  let from = 0;
  for (const m of text.matchAll(INLINE)) {
    if (m.index > from) out.push(text.slice(from, m.index));
    from = m.index + m[0].length;
    if (m[1]) {
      out.push(h("strong", null, m[1]));
      continue;
    }
    const url = safeURL(m[3] || m[4], base);
    out.push(url ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, m[2] || m[4]) : m[0]);
  }
  if (from < text.length) out.push(text.slice(from));
  return out;
}

function formatted(text, base) {
  const box = h("div", { class: "text" });
  let list = null;
  let para = null;
  for (const line of String(text).split("\n")) {
    const item = /^\s{0,3}(?:([-*•])|(\d{1,3})[.)])\s+(.*)$/.exec(line);
    if (item) {
      const tag = item[1] ? "UL" : "OL";
      if (!list || list.tagName !== tag) {
        list = h(tag.toLowerCase(), item[2] && item[2] !== "1" ? { start: item[2] } : null);
        box.append(list);
      }
      list.append(h("li", null, inline(item[3], base)));
      para = null;
      continue;
    }
    if (!line.trim()) {
      para = null;
      if (list && list.tagName === "UL") list = null; // numbered steps go on after a blank line
      continue;
    }
    const head = /^#{1,6}\s+(.*)$/.exec(line);
    list = null;
    if (head) {
      box.append(h("p", { class: "head" }, inline(head[1], base)));
      para = null;
    } else if (/^\s*\|(\s*:?-+:?\s*\|)+\s*$/.test(line)) {
      continue; // the rule below a table's head
    } else if (para) {
      para.append(h("br"), ...inline(row(line), base));
    } else {
      para = h("p", null, inline(row(line), base));
      box.append(para);
    }
  }
  return box;
}

// row shows a table's line as words: a narrow panel has no room for columns.
function row(line) {
  const m = /^\s*\|(.*)\|\s*$/.exec(line);
  return m ? m[1].split("|").map((c) => c.trim()).filter(Boolean).join(" — ") : line;
}

// moment names a time to come the way people say it: the hour today, the weekday within the week, else the date.
function moment(at, lang) {
  const days = Math.round((new Date(at).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86400000);
  const day = days === 0 ? {} : days < 7 ? { weekday: "long" } : { day: "numeric", month: "long" };
  return at.toLocaleString(lang, { ...day, hour: "2-digit", minute: "2-digit" });
}
