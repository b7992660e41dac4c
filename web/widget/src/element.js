// The element: launcher and panel in a shadow root, so that neither the page's styles nor its scripts' selectors reach in.
const FULL = "(max-width: 480px), (max-height: 480px)";
const sheet = new CSSStyleSheet();
sheet.replaceSync(CSS);

class HotlineChat extends HTMLElement {
  connectedCallback() {
    if (this.root) return;
    this.root = this.attachShadow({ mode: "open" });
    this.root.adoptedStyleSheets = [sheet];
    this.base = this.dataset.base;
    this.store = new Store(this.base + ":" + this.dataset.site);
    this.lang = known(this.dataset.lang) || known(this.store.get("lang", "")) || known(document.documentElement.lang) || known(navigator.language) || "en";
    this.unread = 0;
    this.toldSeen = 0; // what the server knows to be seen
    this.holder = { holder: "bot" };
    this.limits = { files: 5, file: 10 * 1048576, text: 4000, file_types: ["image/*", ".pdf", ".txt"] };
    this.quick = null;
    this.t = (key, args) => words(this.lang, key, args);
    this.transport = new Transport({ base: this.base, site: this.dataset.site, store: this.store, lang: this.lang, on: this.handlers() });
    this.draw();
    document.addEventListener("visibilitychange", () => this.read());
    if (this.transport.token) {
      this.opened = true; // come back to a conversation that exists, for its unread count
      this.transport.start();
    }
    if (this.dataset.open === "true") this.open();
  }

  handlers() {
    return {
      welcome: (f) => this.welcome(f),
      message: (m) => this.message(m),
      ack: (ref, seq) => this.bubbles.acked(ref, seq),
      adopted: (item) => this.bubbles.mine(item, item.files),
      gone: (ref) => this.bubbles.gone(ref),
      refused: (ref, problem) => this.refused(ref, problem),
      typing: (f) => this.typing(f),
      partial: (f) => this.partial(f),
      seen: (f) => f.by !== "citizen" && this.bubbles.receipt(f.seq),
      holder: (f) => this.setHolder(f),
      error: (f) => this.say(f.message || this.t("error")),
      state: () => this.showState(),
      slow: () => this.showState(),
      reachable: (yes) => ((this.unreachable = !yes), this.showState()),
      reset: () => ((this.toldSeen = 0), this.redraw()),
    };
  }

  // --- what is drawn ---

  draw() {
    const t = this.t;
    this.dir = DIRS[this.lang];
    this.badge = h("span", { class: "badge", hidden: true });
    this.launcher = h("button", { type: "button", class: "launcher", "aria-expanded": "false", "aria-controls": "panel", onclick: () => this.toggle() }, icon("chat"), h("span", { class: "launcher-word" }, t("launcher")), this.badge);
    this.bubbles = new Bubbles({ t, lang: () => this.lang, base: this.base, transport: this.transport, send: (m) => this.send(m) });
    this.tray = new Tray({ t, transport: this.transport, limits: this.limits, changed: (focus) => (this.ready(), focus && this.input.focus()), say: (w) => this.say(w) });
    this.status = h("p", { class: "status" });
    this.noticeWords = h("span", null);
    this.leave = h("button", { type: "button", class: "plain", hidden: true, onclick: () => this.send({ text: t("leave_queue"), choice: "leave_queue" }) }, t("leave_queue"));
    this.notice = h("p", { class: "notice", hidden: true }, h("span", { role: "status" }, this.noticeWords), " ", this.leave);
    this.dots = h("p", { class: "typing", hidden: true }, h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("span", { class: "typing-words" }));
    this.alert = h("p", { class: "alert", role: "alert", hidden: true });
    this.input = h("textarea", { rows: "1", maxlength: String(this.limits.text), placeholder: t("write"), "aria-label": t("write"), enterkeyhint: "send", oninput: () => this.typed(), onkeydown: (e) => this.key(e), onpaste: (e) => this.pasted(e) });
    this.picker = h("input", { type: "file", multiple: true, accept: this.limits.file_types.join(","), class: "visually-hidden", tabindex: "-1", "aria-hidden": "true", onchange: () => {
      this.tray.add(this.picker.files);
      this.picker.value = "";
      this.input.focus();
    } });
    this.go = h("button", { type: "submit", class: "send", "aria-label": t("send"), disabled: true }, icon("send"));
    const other = LANGS.find((l) => l !== this.lang);
    this.panel = h("section", { id: "panel", class: "panel", role: "dialog", "aria-label": t("title"), hidden: true, onkeydown: (e) => this.panelKey(e), ondragover: (e) => e.preventDefault(), ondrop: (e) => {
      e.preventDefault();
      this.tray.add(e.dataTransfer.files);
    } },
    h("div", { class: "bar" },
      h("div", { class: "who" }, h("h2", null, t("title")), this.status),
      h("button", { type: "button", class: "lang", lang: other, onclick: () => this.setLang(other) }, NAMES[other]),
      h("button", { type: "button", class: "icon-button", "aria-label": t("end"), title: t("end"), onclick: () => this.end() }, icon("end")),
      h("button", { type: "button", class: "icon-button", "aria-label": t("close"), title: t("close"), onclick: () => this.close() }, icon("close"))),
    this.notice, this.bubbles.el, this.dots, this.alert,
    h("div", { class: "always", role: "group", "aria-label": t("always") },
      h("button", { type: "button", onclick: () => this.human() }, icon("person"), t("human")),
      h("button", { type: "button", onclick: () => this.send({ text: t("file_ticket"), choice: "file" }) }, icon("form"), t("file_ticket"))),
    this.tray.el,
    h("form", { class: "composer", onsubmit: (e) => {
      e.preventDefault();
      this.submit();
    } },
    h("button", { type: "button", class: "icon-button", "aria-label": t("attach"), onclick: () => this.picker.click() }, icon("clip")), this.picker, this.input, this.go));
    this.root.replaceChildren(this.launcher, this.panel);
    this.count(0);
    this.greet();
    for (const item of this.transport.outbox.items) this.bubbles.mine(item, item.files);
    this.showState();
  }

  greet() {
    const c = this.config || {};
    this.quick = (c.quick_replies || []).slice(0, 3);
    if (!this.quick.length) this.quick = ["file", "status", "human"].map((id) => ({ id, label: this.t("quick_" + id) }));
    const talked = this.transport.after > 0 || this.transport.outbox.items.length > 0;
    const numbers = (c.emergency || []).slice(0, 3).map((e) => e.number + " (" + e.name + ")");
    this.bubbles.greeting(c.greeting || this.t("greeting"), talked ? [] : this.quick, numbers.length ? this.t("emergency", { numbers: numbers.join(" · ") }) : "");
  }

  // redraw starts the picture anew, in another language or for another conversation; the messages come again from the server.
  redraw() {
    const open = this.isOpen;
    const text = this.input.value;
    this.draw();
    this.input.value = text;
    if (open) this.open();
  }

  async loadConfig() {
    try {
      const c = await this.transport.config(this.lang);
      this.config = c;
      this.setLimits(c.limits);
      if (this.bubbles.hello) this.bubbles.hello.remove();
      this.greet();
    } catch {
      // the texts that came with the widget serve
    }
  }

  setLimits(limits) {
    Object.assign(this.limits, limits || {});
    this.input.maxLength = this.limits.text;
    this.picker.accept = this.limits.file_types.join(",");
  }

  // --- open and close ---

  get isOpen() {
    return this.panel && !this.panel.hidden;
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  open() {
    this.panel.hidden = false;
    this.launcher.setAttribute("aria-expanded", "true");
    this.classList.add("is-open");
    const full = matchMedia(FULL).matches;
    this.panel.classList.toggle("full", full);
    if (full) this.panel.setAttribute("aria-modal", "true");
    else this.panel.removeAttribute("aria-modal");
    this.transport.start();
    if (!this.config) this.loadConfig();
    this.bubbles.el.scrollTop = this.bubbles.el.scrollHeight;
    this.read();
    this.input.focus();
  }

  close() {
    this.panel.hidden = true;
    this.launcher.setAttribute("aria-expanded", "false");
    this.classList.remove("is-open");
    this.launcher.focus();
  }

  panelKey(e) {
    if (e.key === "Escape") {
      e.stopPropagation();
      this.close();
    } else if (e.key === "Tab" && this.panel.classList.contains("full")) {
      const stops = [...this.panel.querySelectorAll("button, textarea, input, a[href], [tabindex='0']")].filter((el) => !el.disabled && el.tabIndex >= 0 && el.offsetParent);
      const at = stops.indexOf(this.root.activeElement);
      if (e.shiftKey ? at <= 0 : at === stops.length - 1) {
        e.preventDefault();
        stops[e.shiftKey ? stops.length - 1 : 0].focus();
      }
    }
  }

  // --- writing ---

  typed() {
    if (!this.input.value.trim()) this.input.value = "";
    this.input.style.height = "auto";
    this.input.style.height = Math.min(this.input.scrollHeight + 2, 120) + "px";
    this.ready();
    if (this.holder.holder === "staff" && Date.now() - (this.told || 0) > 3000) {
      this.told = Date.now();
      this.transport.frame({ t: "typing" });
    }
  }

  key(e) {
    // Enter that ends the choice of a Chinese character must not send.
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing && e.keyCode !== 229) {
      e.preventDefault();
      this.submit();
    }
  }

  pasted(e) {
    if (e.clipboardData.files.length) {
      e.preventDefault();
      this.tray.add(e.clipboardData.files);
    }
  }

  ready() {
    this.go.disabled = this.tray.busy || !(this.input.value.trim() || this.tray.items.some((i) => i.state === "done"));
  }

  submit() {
    this.ready();
    if (this.go.disabled) return;
    const files = this.tray.take();
    this.send({ text: this.input.value.trim(), uploads: files.length ? files.map((f) => f.id) : undefined, files: files.length ? files : undefined });
    this.input.value = "";
    this.typed();
    this.input.focus();
  }

  send(message) {
    this.say("");
    const item = this.transport.send(message);
    this.bubbles.mine(item, item.files);
    if (this.root.activeElement == null) this.input.focus(); // the tapped button is gone now
    return item;
  }

  human() {
    this.send({ text: this.t("human"), choice: "human" });
  }

  end() {
    if (this.bubbles.el.querySelector(".rating")) return;
    this.bubbles.settle();
    const card = ratingCard(this.t, (grade) => {
      card.remove();
      if (grade) this.send({ text: this.t("rate_" + grade), choice: "rate_chat:" + grade });
      this.transport.frame({ t: "bye" });
      this.close();
    });
    this.bubbles.el.append(card);
    this.bubbles.scroll(card, true);
    card.querySelector("button").focus();
  }

  refused(ref, problem) {
    const el = this.bubbles.pending.get(ref);
    const text = el?.querySelector(".text")?.textContent || "";
    this.bubbles.refused(ref, problem.message || this.t("refused"), () => {
      this.input.value = text;
      this.typed();
      this.input.focus();
    });
  }

  // --- what comes in ---

  welcome(f) {
    this.bubbles.partial("");
    this.setLimits(f.limits);
    if (f.staff_seen) this.bubbles.receipt(f.staff_seen);
    if (f.holder) this.setHolder(f);
    this.tray.resume();
    this.toldSeen = 0; // what was told last may have been lost with the connection
    this.read();
  }

  message(m) {
    if (m.author !== "citizen") this.dots.hidden = true;
    this.bubbles.message(m);
    if (this.bubbles.hello) this.bubbles.hello.querySelector(".choices")?.remove();
    this.bubbles.receipt();
    const event = (m.payload || {}).event;
    if (event === "closed") this.setHolder({ holder: "none" });
    this.read();
  }

  read() {
    const last = this.transport.after;
    let seen = this.store.get("seen", 0);
    if (this.isOpen && !document.hidden) {
      if (last > seen) this.store.set("seen", (seen = last));
      this.tellSeen(last);
    }
    let n = 0;
    for (const [seq, el] of this.bubbles.bySeq) if (seq > seen && !el.classList.contains("citizen")) n++;
    this.count(n);
  }

  // tellSeen speaks once a second at most: one frame for each of many messages would be a flood to the server.
  tellSeen(seq) {
    if (this.seenTimer || seq <= this.toldSeen || !this.transport.frame({ t: "seen", seq })) return;
    this.toldSeen = seq;
    this.seenTimer = setTimeout(() => {
      this.seenTimer = 0;
      this.read();
    }, 1000);
  }

  count(n) {
    this.unread = n;
    this.badge.hidden = !n;
    this.badge.textContent = n > 9 ? "9+" : String(n);
    this.launcher.setAttribute("aria-label", n ? this.t("launcher_unread", { n }) : this.t("launcher"));
  }

  typing(f) {
    if (f.who === "citizen") return;
    this.dots.querySelector(".typing-words").textContent = this.t(f.who === "bot" ? "typing_bot" : "typing_staff");
    this.dots.hidden = false;
    clearTimeout(this.dotsTimer);
    this.dotsTimer = setTimeout(() => (this.dots.hidden = true), 6000);
  }

  // partial shows an answer while it is made; the message that follows takes its place.
  partial(f) {
    this.bubbles.partial(f.text || "");
    if (f.text) this.typing({ who: "bot" });
  }

  setHolder(f) {
    this.holder = f;
    if (f.holder !== "bot") this.bubbles.partial("");
    this.showState();
  }

  showState() {
    if (!this.notice) return;
    this.bubbles.underWay();
    const { holder, name } = this.holder;
    const state = this.transport.state;
    this.status.replaceChildren(icon(holder === "staff" ? "person" : "bot"), this.t("with_" + (holder || "bot"), { name: name || this.t("staff") }));
    let words = "";
    if (state === "stopped") words = this.t("stopped");
    else if (this.transport.slowed && navigator.onLine !== false) words = this.t("too_fast");
    else if (state === "offline" || (state === "polling" && this.unreachable)) words = this.t("offline");
    else if (holder === "queue") words = this.queueWords();
    const leave = words && !this.transport.slowed && holder === "queue" && (state === "online" || state === "polling");
    clearTimeout(this.noticeTimer);
    const slowed = this.transport.slowed;
    // A reconnect within a moment is nothing to tell; only what lasts is.
    const show = () => {
      if (this.noticeWords.textContent !== words) this.noticeWords.textContent = words;
      this.leave.hidden = !leave;
      this.notice.hidden = !words;
      this.notice.classList.toggle("warn", state === "offline" || state === "stopped" || slowed);
    };
    if (state === "offline" && !slowed && navigator.onLine !== false) this.noticeTimer = setTimeout(show, 1500);
    else show();
    if (state === "online" || state === "polling") this.tray.resume();
  }

  // queueWords tells place and usual waiting time, or when somebody will be there at all.
  queueWords() {
    const { position, wait, duty } = this.holder;
    if (duty) return this.t("queue_duty", { when: moment(new Date(duty), this.lang) });
    if (!position) return this.t("queue_soon");
    const words = this.t("queue", { n: position });
    if (!wait) return words;
    const minutes = Math.max(1, Math.round(wait / 60));
    return words + " " + this.t(minutes === 1 ? "queue_wait_1" : "queue_wait", { n: minutes });
  }

  say(words) {
    this.alert.textContent = words;
    this.alert.hidden = !words;
  }

  setLang(lang) {
    this.lang = this.transport.lang = lang;
    this.store.set("lang", lang);
    this.config = null;
    this.transport.frame({ t: "lang", lang });
    // The old messages stay in the language they were written in; asking for them again redraws them in order.
    this.transport.after = 0;
    this.redraw();
    this.loadConfig();
    if (this.transport.socket) {
      this.transport.drop();
      this.transport.connect();
    } else {
      this.transport.round();
    }
  }
}
