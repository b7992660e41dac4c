// Quick replies that answer no question but turn away from it.
const ASIDE = /^guide:(unsure|back|stop|change)$/;

// The messages as they are seen. A message has a place by its seq; one that is not acknowledged yet stands at the end.
class Bubbles {
  constructor({ t, lang, base, transport, send }) {
    Object.assign(this, { t, lang, base, transport, send });
    this.bySeq = new Map();
    this.pending = new Map();
    this.el = h("div", { class: "log", role: "log", "aria-live": "polite", "aria-relevant": "additions", tabindex: "0", "aria-label": t("log") });
    this.openURLs = [];
  }

  clear() {
    this.el.replaceChildren();
    this.bySeq.clear();
    this.pending.clear();
    this.coming = null;
    for (const url of this.openURLs.splice(0)) URL.revokeObjectURL(url);
  }

  greeting(text, choices, emergency) {
    this.hello = h("div", { class: "message bot", "data-seq": "0" }, this.byline("bot", this.t("bot")), h("div", { class: "bubble" }, formatted(text, this.base)),
      emergency ? h("p", { class: "emergency" }, emergency) : null, this.choices(choices));
    this.el.prepend(this.hello);
  }

  // message shows what came from the server. One's own message may stand here already as a pending one.
  message(m) {
    if (this.bySeq.has(m.seq)) return;
    const payload = m.payload || {};
    const el = m.author === "system" ? this.note(m) : this.bubble(m, payload);
    if (m.author === "bot") this.replaced(m.text || "");
    if (m.author === "citizen") this.settle();
    el.dataset.seq = m.seq;
    this.bySeq.set(m.seq, el);
    this.insert(el, m.seq);
    this.scroll(el, m.author === "citizen");
  }

  // partial shows what the bot is about to say. Each call brings the text from its beginning; only what is new is added, so that a screen
  // reader reads on instead of starting over.
  partial(text) {
    if (!text || (this.coming && !text.startsWith(this.coming.text))) {
      this.coming?.el.remove();
      this.coming = null;
    }
    if (!text) return;
    if (!this.coming) {
      const body = h("div", { class: "bubble" });
      this.coming = { text: "", body, el: h("div", { class: "message bot partial" }, this.byline("bot", this.t("bot")), body) };
      this.el.append(this.coming.el);
    }
    const more = text.slice(this.coming.text.length);
    if (more) this.coming.body.append(h("span", null, more));
    this.coming.text = text;
    this.scroll(this.coming.el, false);
  }

  // replaced ends a partial answer. What was read out already is not read again.
  replaced(text) {
    if (!this.coming) return;
    if (this.coming.text === text) {
      this.el.setAttribute("aria-live", "off");
      setTimeout(() => this.el.setAttribute("aria-live", "polite"), 150);
    }
    this.coming.el.remove();
    this.coming = null;
  }

  // settle takes away the controls of older messages: they have been answered.
  settle() {
    for (const old of this.el.querySelectorAll(".choices, .slot, .slot-line")) old.remove();
  }

  insert(el, seq) {
    for (const next of this.el.children) {
      if (next.dataset.seq === undefined || Number(next.dataset.seq) > seq) {
        this.el.insertBefore(el, next);
        return;
      }
    }
    this.el.append(el);
  }

  mine(item, uploads) {
    this.settle();
    const el = this.bubble({ author: "citizen", text: item.text || "", at: null }, { uploads });
    el.classList.add("waiting");
    this.pending.set(item.ref, el);
    this.underWay();
    this.el.append(el);
    this.scroll(el, true);
  }

  // underWay says of what is not acknowledged yet whether it is on its way or waits for a better moment.
  underWay() {
    const words = this.t(this.transport.moving ? "sending" : "waiting");
    for (const el of this.pending.values()) el.querySelector(".meta").textContent = words;
  }

  acked(ref, seq) {
    const el = this.pending.get(ref);
    this.pending.delete(ref);
    if (!el) return;
    if (this.bySeq.has(seq)) {
      el.remove();
      return;
    }
    el.classList.remove("waiting");
    el.dataset.seq = seq;
    el.querySelector(".meta").textContent = clock(new Date(), this.lang());
    this.bySeq.set(seq, el);
    this.insert(el, seq);
    this.receipt();
  }

  // gone: another tab has sent it; the server tells it to all of them.
  gone(ref) {
    this.pending.get(ref)?.remove();
    this.pending.delete(ref);
  }

  refused(ref, words, retry) {
    const el = this.pending.get(ref);
    if (!el) return;
    this.pending.delete(ref);
    el.classList.replace("waiting", "refused");
    el.dataset.seq = Number.MAX_SAFE_INTEGER;
    el.querySelector(".meta").replaceChildren(h("span", { role: "alert" }, words), " ", h("button", { type: "button", class: "plain", onclick: () => {
      el.remove();
      retry();
    } }, this.t("edit_again")));
  }

  // receipt says under the last message of one's own whether it was sent or seen.
  receipt(seen) {
    if (seen) this.seenBy = Math.max(this.seenBy || 0, seen);
    this.el.querySelector(".receipt")?.remove();
    const mine = [...this.el.querySelectorAll(".message.citizen[data-seq]")].pop();
    if (!mine || mine.classList.contains("refused")) return;
    const words = Number(mine.dataset.seq) <= (this.seenBy || 0) ? "seen" : "sent";
    mine.querySelector(".meta").append(h("span", { class: "receipt" }, words === "seen" ? " · ✓✓ " : " · ✓ ", this.t(words)));
  }

  byline(author, name) {
    return h("p", { class: "byline" }, icon(author === "bot" ? "bot" : "person"), h("span", null, name), author === "staff" ? h("span", { class: "kind" }, this.t("staff")) : null);
  }

  note(m) {
    const text = m.text || this.t("event_" + ((m.payload || {}).event || "other"));
    if (text.length < 90 && !text.includes("\n")) return h("p", { class: "note" }, text);
    return h("div", { class: "note long" }, formatted(text, this.base)); // a refusal with its reason, for example
  }

  bubble(m, p) {
    const mine = m.author === "citizen";
    const el = h("div", { class: "message " + m.author });
    if (mine) el.append(h("p", { class: "visually-hidden" }, this.t("you_wrote")));
    else el.append(this.byline(m.author, m.author === "bot" ? this.t("bot") : m.name || this.t("staff")));
    if (m.text) el.append(h("div", { class: "bubble" }, mine ? h("div", { class: "text plain-text" }, m.text) : formatted(m.text, this.base)));
    for (const c of p.citations || []) el.append(this.citation(c));
    for (const u of p.uploads || []) el.append(this.file(u));
    if (p.ticket && p.ticket.number) el.append(h("p", { class: "ticket" }, icon("form"), this.t("ticket", { number: p.ticket.number })));
    el.append(h("p", { class: "meta" }, m.at ? clock(new Date(m.at), this.lang()) : ""));
    if (!mine) {
      if (p.ask === "contact") el.append(contactForm(this.t, this.send));
      if (p.ask === "where") el.append(placeControl(this.t, this.send) || "");
      el.append(this.choices(p.choices));
    }
    return el;
  }

  choices(list) {
    if (!list || !list.length) return "";
    return h("div", { class: "choices", role: "group", "aria-label": this.t("choices") }, list.map((c) => h("button", { type: "button", class: ASIDE.test(c.id) ? "choice aside" : "choice", onclick: () => this.send({ text: c.label, choice: c.id }) }, c.label)));
  }

  citation(c) {
    const url = c.url && safeURL(c.url, this.base);
    const about = h("span", { class: "cite-about" }, this.t("source", { version: c.version }));
    const title = h("span", { class: "cite-title" }, c.title);
    const words = c.snippet ? h("span", { class: "cite-words" }, c.snippet) : null;
    if (!url) return h("div", { class: "cite" }, about, title, words);
    return h("a", { class: "cite", href: url, target: "_blank", rel: "noopener" }, about, title, words, h("span", { class: "cite-open" }, this.t("open"), h("span", { class: "visually-hidden" }, this.t("new_window"))));
  }

  file(u) {
    const box = h("div", { class: "file" });
    const named = () => {
      box.replaceChildren(h("button", { type: "button", class: "plain", onclick: () => this.download(u) }, icon("file"), h("span", null, u.name), u.size ? h("span", { class: "soft" }, sizeText(u.size)) : null));
    };
    if (/^image\//.test(u.type || "")) {
      const img = h("img", { alt: u.name, loading: "lazy" });
      if (u.width && u.height) img.style.aspectRatio = u.width + "/" + u.height;
      img.onerror = named;
      this.transport.file(u.id).then((blob) => {
        const url = URL.createObjectURL(blob);
        this.openURLs.push(url);
        img.src = url;
      }, named);
      box.append(img);
    } else {
      named();
    }
    return box;
  }

  async download(u) {
    const blob = await this.transport.file(u.id);
    const url = URL.createObjectURL(blob);
    h("a", { href: url, download: u.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  // scroll follows the conversation, but does not take the page away from someone who reads further up.
  scroll(el, force) {
    const log = this.el;
    const near = log.scrollHeight - log.scrollTop - log.clientHeight < 220 + el.offsetHeight;
    if (force) log.scrollTop = log.scrollHeight;
    else if (near) log.scrollTop = Math.min(log.scrollHeight, el.offsetTop - 12); // a long answer is read from its beginning
  }
}

function clock(at, lang) {
  const today = new Date().toDateString() === at.toDateString();
  return at.toLocaleString(lang, today ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}
