// The console's one script: keys, live updates, dialogs, drafts. It never changes a field that somebody is typing in; whatever it does can
// also be done without it.
(() => {
  "use strict";
  const doc = document, body = doc.body, root = doc.documentElement;
  root.classList.add("js");
  // An article that was sent when the session had ended is not saved: its draft must not count as such.
  if (!body.classList.contains("app")) { try { sessionStorage.removeItem("draft-sent"); } catch { /* off */ } return; }
  const $ = (sel, from = doc) => from.querySelector(sel);
  const $$ = (sel, from = doc) => [...from.querySelectorAll(sel)];
  const dialog = $("#dialog"), palette = $("#palette"), help = $("#help");

  // Toasts -------------------------------------------------------------------------------------------------------------
  function toast(words, bad, undo) {
    const el = doc.createElement("div");
    el.className = bad ? "toast bad" : "toast";
    el.textContent = words;
    if (undo) {
      const [path, form] = undo.split("?"), button = doc.createElement("button");
      button.type = "button"; button.className = "button small"; button.dataset.key = "z";
      button.textContent = body.dataset.undo;
      button.addEventListener("click", () => htmx.ajax("POST", path, { target: "#pane", values: Object.fromEntries(new URLSearchParams(form)) }));
      el.append(button);
    }
    $("#toasts").append(el);
    setTimeout(() => el.remove(), bad || undo ? 9000 : 4000);
  }
  // Errors that arrive as fragments in #toasts leave after a while, or when clicked.
  new MutationObserver(list => {
    for (const change of list) for (const el of change.addedNodes) {
      if (el.nodeType !== 1) continue;
      el.addEventListener("click", () => el.remove());
      if (!el.classList.contains("toast")) setTimeout(() => el.remove(), 12000);
    }
  }).observe($("#toasts"), { childList: true });

  // Reading parts again --------------------------------------------------------------------------------------------------
  const page = () => location.pathname + location.search;
  async function fetchPart(url) {
    const r = await fetch(url, { headers: { "X-Page": page(), "Accept": "text/html" }, credentials: "same-origin" });
    if (r.status === 401) { stopLive(); toast(body.dataset.offline, true); return null; }
    if (!r.ok) return null;
    const holder = doc.createElement("template");
    holder.innerHTML = await r.text();
    return holder.content;
  }
  // Coalesces calls: one runs, one waits.
  function calm(fn) {
    let running = false, again = false;
    return async function run(...args) {
      if (running) { again = true; return; }
      running = true;
      try { await fn(...args); } catch { /* offline: the next hint or tick tries again */ }
      running = false;
      if (again) { again = false; run(...args); }
    };
  }
  function place(next, old) {
    if (!next || !old) return;
    if (next.outerHTML === old.outerHTML) return;
    old.replaceWith(next);
    if (window.htmx) htmx.process(next);
  }

  // An answer to the own request is placed by htmx beside the form that asked: while one is on its way nothing is replaced under it.
  async function answered() {
    for (let i = 0; i < 200 && $("#pane .htmx-request"); i++) await new Promise(go => setTimeout(go, 50));
  }

  // Lists: rows are matched by id, so that the one in focus, the scroll position and further pages stay.
  const refreshList = calm(async () => {
    const list = $("#list"), rows = $("#rows");
    if (!list || !rows) return;
    const open = $("#ticket")?.dataset.id || $("#chat")?.dataset.chat || "";
    const url = list.dataset.rows + (list.dataset.rows.includes("?") ? "&" : "?") + "selected=" + open;
    const part = await fetchPart(url);
    if (!part || !rows.isConnected) return;
    const focused = doc.activeElement?.closest?.("[data-row]")?.id;
    if (rows.hasAttribute("data-whole")) {
      rows.replaceChildren(part);
      if (window.htmx) htmx.process(rows);
    } else {
      const known = new Map($$("[data-row]", rows).map(li => [li.id, li]));
      const first = [...part.children];
      const fresh = new Set(first.map(li => li.id).filter(Boolean));
      const later = $$("[data-row][data-later]", rows).filter(li => !fresh.has(li.id));
      const more = $("[data-more]", rows);
      const grown = later.length > 0 || rows.dataset.grown;
      const next = [];
      for (const li of first) {
        if (li.hasAttribute("data-more")) { if (!grown) next.push(li); continue; }
        const old = known.get(li.id);
        if (old && old.innerHTML === li.innerHTML) { old.removeAttribute("data-later"); next.push(old); continue; }
        if (!old && known.size) li.classList.add("new");
        next.push(li);
      }
      next.push(...later);
      const picked = new Set($$("input[data-pick]:checked", rows).map(i => i.value)); // what was chosen stays so when a row is written anew
      for (const li of next) { const i = $("input[data-pick]", li); if (i && picked.has(i.value)) i.checked = true; }
      if (grown && more) next.push(more);
      rows.replaceChildren(...next);
      if (window.htmx) htmx.process(rows);
      const empty = $("#rows-empty");
      if (empty) empty.hidden = next.length > 0;
    }
    if (focused) doc.getElementById(focused)?.querySelector("a")?.focus({ preventScroll: true });
  });
  const refreshSide = calm(async () => {
    const part = await fetchPart("/console/inbox/side");
    if (!part) return;
    const lists = $("#side-lists"), focused = lists?.contains(doc.activeElement) ? doc.activeElement.getAttribute("href") : null;
    place($("#side-lists", part), lists);
    place($("#bell-count", part), $("#bell-count"));
    if (focused) $(`#side-lists a[href="${CSS.escape(focused)}"]`)?.focus();
  });

  // Timeline entries are matched by id and appended; the reader's place is kept unless they stand at the end.
  function mergeFeed(part) {
    const feed = $("#feed"), next = $("#feed", part), stream = $("#stream");
    if (!feed || !next) return;
    const scroller = stream.scrollHeight > stream.clientHeight + 4 ? stream : $("#ticket, #chat");
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 120;
    const known = new Map([...feed.children].map(li => [li.id, li]));
    const items = [...next.children].map(li => {
      const old = known.get(li.id);
      return old && old.innerHTML === li.innerHTML && old.className === li.className ? old : li;
    });
    const grew = items.length > feed.children.length;
    if (items.length !== feed.children.length || items.some((li, i) => feed.children[i] !== li)) {
      let at = feed.firstElementChild;
      for (const li of items) {
        if (li === at) { at = at.nextElementSibling; continue; }
        feed.insertBefore(li, at);
        if (window.htmx) htmx.process(li);
      }
      while (at) { const gone = at; at = at.nextElementSibling; gone.remove(); }
    }
    if (grew && atEnd) scroller.scrollTop = scroller.scrollHeight;
  }
  const refreshTicket = calm(async () => {
    const ticket = $("#ticket");
    if (!ticket) return;
    const part = await fetchPart(`/console/tickets/${ticket.dataset.id}/live`);
    await answered();
    if (!part || $("#ticket") !== ticket) return;
    const { version, last, asked } = part.firstElementChild.dataset;
    ticket.dataset.last = last;
    doc.dispatchEvent(new CustomEvent("assist:asked", { detail: asked }));
    if (!$("#ticket-head details[open]")) place($("#ticket-head", part), $("#ticket-head"));
    mergeFeed(part);
    for (const own of ["#facts", "#fields", "#tags", "#ties"]) if (!$(own)?.contains(doc.activeElement)) place($(own, part), $(own));
    if (version !== ticket.dataset.version) {
      ticket.dataset.version = version;
      const form = $("#composer"), note = $('#composer input[value="note"]')?.checked;
      const writing = form && ($("textarea", form).value.trim() || form.contains(doc.activeElement) || $('input[type="file"]', form)?.files.length);
      // Somebody who is writing decides with open eyes; otherwise there is nothing to decide, and what may be written now is shown.
      if (!form || !writing) { place($("#composer", part), form); dressComposer(); }
      else if (!note) $("#composer-changed").hidden = false;
    }
  });
  const refreshChat = calm(async () => {
    const chat = $("#chat");
    if (!chat) return;
    const part = await fetchPart(`/console/chats/${chat.dataset.chat}/live`);
    await answered();
    if (!part || $("#chat") !== chat) return;
    const next = part.firstElementChild;
    if (next.dataset.mine !== chat.dataset.mine && !$("#composer-text")?.value.trim()) { htmx.ajax("GET", `/console/chats/${chat.dataset.chat}`, "#pane"); return; }
    place($("#chat-head", part), $("#chat-head"));
    mergeFeed(part);
    chat.dataset.last = next.dataset.last;
    doc.dispatchEvent(new CustomEvent("assist:asked", { detail: next.dataset.asked }));
    hideTyping();
    markSeen();
  });
  // The case on the dispatcher's desk: somebody who has chosen something decides when to look again.
  function refreshDesk() {
    const form = $("#desk-form");
    if (!form) return;
    if (form.dataset.touched) $("#desk-changed").hidden = false; else location.reload();
  }
  doc.addEventListener("change", e => { const form = e.target.closest?.("#desk-form"); if (form) form.dataset.touched = "1"; });
  function refreshAll() { refreshList(); refreshSide(); refreshTicket(); refreshChat(); }

  // Live -----------------------------------------------------------------------------------------------------------------
  let source = null, poll = 0, watching = "", spread = 0;
  function liveState(state) {
    const el = $("#live-state");
    if (!el || el.dataset.state === state) return;
    el.dataset.state = state;
    el.textContent = el.dataset["word" + state[0].toUpperCase() + state.slice(1)];
  }
  function watched() {
    const q = new URLSearchParams(), t = $("#ticket"), c = $("#chat"), desk = body.dataset.ticket;
    if (t) q.set("ticket", t.dataset.id); else if (desk && !$("#pane")) q.set("ticket", desk);
    const conversation = c?.dataset.conversation || t?.dataset.conversation;
    if (conversation) q.set("conversation", conversation);
    return q.toString();
  }
  function stopLive() { source?.close(); source = null; clearInterval(poll); poll = 0; liveState("off"); }
  function startPolling() {
    if (poll) return;
    liveState("poll");
    poll = setInterval(() => { if (!doc.hidden) refreshAll(); }, 15000);
  }
  function startLive() {
    const q = watched();
    if (source && q === watching && source.readyState !== 2) return;
    // The stream of the page before goes on until this one is there, so that the lists miss nothing.
    const before = source, next = new EventSource("/console/events?" + q);
    let opened = false;
    watching = q;
    source = next;
    source.addEventListener("ready", e => {
      before?.close();
      if (next !== source) { next.close(); return; }
      liveState("on");
      $("#live-state").dataset.watching = q;
      if (opened || poll || !before) refreshAll();
      else {
        // What happened between the page and this moment shows in where the ticket and its conversation stand.
        let at = {};
        try { at = JSON.parse(e.data); } catch { /* of another version */ }
        const open = $("#ticket") || $("#chat");
        if (open && (at.version && String(at.version) !== open.dataset.version || at.seq && String(at.seq) !== open.dataset.last)) { refreshTicket(); refreshChat(); }
      }
      clearInterval(poll);
      poll = 0;
      opened = true;
    });
    // Many open consoles hear the same hint: each waits a random moment, and a burst is read once.
    source.addEventListener("inbox", () => { if (!spread) spread = setTimeout(() => { spread = 0; if ($("[data-reload]")) location.reload(); refreshList(); refreshSide(); }, 80 + Math.random() * 250); });
    source.addEventListener("ticket", () => { refreshTicket(); refreshDesk(); });
    source.addEventListener("conv", e => {
      let hint;
      try { hint = JSON.parse(e.data); } catch { return; }
      if (hint.typing === "citizen") showTyping();
      if (hint.seq || hint.seen || hint.holder) { refreshTicket(); refreshChat(); }
    });
    source.onerror = () => { if (next !== source) { next.close(); return; } before?.close(); liveState("off"); startPolling(); if (source && source.readyState === 2) setTimeout(() => { if (source?.readyState === 2) startLive(); }, 5000); };
  }
  // A hint may be lost: look again on a slow tick, and when the page comes back into view.
  setInterval(() => { if (!doc.hidden && !poll) refreshAll(); }, 60000);
  doc.addEventListener("visibilitychange", () => { if (!doc.hidden) { refreshAll(); if (source?.readyState === 2) startLive(); } });

  let typingTimer = 0;
  function showTyping() {
    const el = $("#typing");
    if (!el) return;
    el.hidden = false;
    clearTimeout(typingTimer);
    typingTimer = setTimeout(hideTyping, 6000);
  }
  function hideTyping() { const el = $("#typing"); if (el) el.hidden = true; }
  function post(url, data) { return fetch(url, { method: "POST", body: new URLSearchParams(data), headers: { "X-Page": page() }, credentials: "same-origin" }).catch(() => {}); }
  let seen = "";
  function markSeen() {
    const chat = $("#chat");
    if (!chat || chat.dataset.mine !== "true" || doc.hidden) return;
    const mark = chat.dataset.chat + ":" + chat.dataset.last;
    if (mark === seen) return;
    seen = mark;
    post(`/console/chats/${chat.dataset.chat}/seen`, { seq: chat.dataset.last });
  }

  // Composer ---------------------------------------------------------------------------------------------------------------
  const drafts = {
    key: form => "draft:" + body.dataset.user + ":" + form.dataset.draft, // a colleague who signs in on this screen finds nothing of it
    save(form) {
      const text = $("textarea", form).value, mode = $('input[name="mode"]:checked', form)?.value || "";
      const used = $$("#cites [data-used]", form).map(el => ({ ...el.dataset })); // what it is made of goes with it
      try { text ? sessionStorage.setItem(this.key(form), JSON.stringify({ text, mode, used })) : sessionStorage.removeItem(this.key(form)); } catch { /* storage is full or off */ }
    },
    restore(form) {
      let saved = null;
      try { saved = JSON.parse(sessionStorage.getItem(this.key(form)) || "null"); } catch { /* of another version */ }
      const area = $("textarea", form);
      if (!saved || area.value) return;
      area.value = saved.text;
      doc.dispatchEvent(new CustomEvent("assist:restore", { detail: saved.used || [] }));
      const mode = $(`input[name="mode"][value="${CSS.escape(saved.mode)}"]`, form);
      if (mode) mode.checked = true;
    },
    drop(form) { try { sessionStorage.removeItem(this.key(form)); } catch { /* off */ } },
  };
  function dressComposer() {
    const form = $("#composer");
    if (!form || form.tagName !== "FORM") return;
    const area = $("textarea", form), note = $('input[name="mode"]:checked', form)?.value === "note";
    form.classList.toggle("as-note", note);
    if (area.dataset.note) { area.dataset.reply ??= area.placeholder; area.placeholder = note ? area.dataset.note : area.dataset.reply; }
  }
  function insert(text) {
    const area = $("#composer-text");
    if (!area) return;
    const before = area.value.slice(0, area.selectionStart), after = area.value.slice(area.selectionEnd);
    const glue = before && !before.endsWith("\n") ? "\n" : "";
    area.value = before + glue + text + after;
    area.focus();
    area.selectionStart = area.selectionEnd = (before + glue + text).length;
    // What the ticket does not know stands as a gap: it is chosen, so that typing fills it in.
    const gap = /⟦[^⟧]*⟧/.exec(area.value);
    if (gap) area.setSelectionRange(gap.index, gap.index + gap[0].length);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  doc.addEventListener("composer:insert", e => insert(e.detail));
  // A canned reply is inserted; a macro also says what for, and waits with its deeds until it is sent.
  function useCanned(option) {
    const form = $("#composer"), d = option.dataset, macro = $("#macro", form);
    if (d.mode) mode(d.mode);
    if (d.text) insert(d.text);
    for (const name of ["outcome", "resolved"]) { const el = form.elements[name]; if (d[name] && el) el.value = d[name]; }
    if (!macro) return;
    macro.value = d.macro || "";
    $("#macro-does").textContent = d.does || "";
    $("#macro-note").hidden = !d.macro;
    $("textarea", form).focus(); // what is chosen in it stays so
  }
  function mode(name) {
    const input = $(`#composer input[name="mode"][value="${name}"]`);
    if (input) { input.checked = true; dressComposer(); }
    return !!input;
  }
  function focusComposer(note) {
    const form = $("#composer");
    if (!form || !$("textarea", form)) return;
    if (note) mode("note");
    else if ($('#composer input[value="note"]')?.checked) $$('#composer input[name="mode"]').find(i => i.value !== "note")?.click();
    $("textarea", form).focus();
  }
  // Sent without htmx: what could not be taken comes back with the page.
  doc.addEventListener("submit", e => { if (!e.defaultPrevented && e.target.id === "composer") drafts.drop(e.target); });
  let typed = 0;
  doc.addEventListener("input", e => {
    const form = e.target.closest?.("#composer");
    if (!form) return;
    drafts.save(form);
    if (form.dataset.typing && Date.now() - typed > 2500) { typed = Date.now(); post(form.dataset.typing, {}); }
  });
  doc.addEventListener("change", e => {
    const el = e.target;
    if (el.matches("[data-submit]")) { el.form.requestSubmit ? el.form.requestSubmit() : el.form.submit(); return; }
    if (el.id === "canned" && el.value) { useCanned(el.selectedOptions[0]); el.selectedIndex = 0; return; }
    if (el.name === "mode") { dressComposer(); drafts.save(el.form); $("textarea", el.form)?.focus(); return; }
    if (el.name === "files") {
      const label = $("[data-files-label]", el.closest("label"));
      label.textContent = el.files.length ? [...el.files].map(f => f.name).join(", ").slice(0, 60) : label.dataset.filesLabel;
    }
    if (el.id === "other" && el.value) $$('input[name="lead"]', el.form).forEach(i => { i.checked = false; });
    if (el.name === "lead") { const other = $("#other", el.form); if (other) other.value = ""; }
  });

  // Names behind an @ in a note: completed from those who may see the ticket. What is typed by hand counts just the same.
  let people = null, asked = 0;
  function calling(area) {
    if ($('#composer input[name="mode"]:checked')?.value !== "note") return null;
    const m = /(^|[\s(,;，。；（])[@＠]([^\s@＠]{0,30})$/u.exec(area.value.slice(0, area.selectionStart));
    return m ? m[2] : null;
  }
  function closePeople(area) { people?.remove(); people = null; asked++; area?.removeAttribute("aria-activedescendant"); area?.removeAttribute("aria-controls"); }
  async function callPeople(area) {
    const name = calling(area), id = $("#ticket")?.dataset.id;
    if (name === null || !id) { if (people) closePeople(area); return; }
    const mine = ++asked;
    const part = await fetchPart(`/console/tickets/${id}/people?q=${encodeURIComponent(name)}`).catch(() => null);
    if (mine !== asked || !area.isConnected) return;
    if (!part || !part.children.length) { closePeople(area); return; }
    if (!people) {
      people = doc.createElement("ul");
      people.className = "people-list"; people.id = "people-list"; people.role = "listbox";
      people.addEventListener("mousedown", e => { const li = e.target.closest("li"); if (li) { e.preventDefault(); choosePerson(area, li); } });
      area.before(people);
    }
    people.replaceChildren(part);
    area.setAttribute("aria-controls", "people-list");
    area.setAttribute("aria-activedescendant", people.firstElementChild.id);
  }
  function choosePerson(area, li) {
    const at = area.selectionStart, name = calling(area) ?? "";
    area.setRangeText("@" + li.dataset.name + " ", at - name.length - 1, at, "end");
    closePeople(area);
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  doc.addEventListener("input", e => { if (e.target.id === "composer-text") callPeople(e.target); });
  doc.addEventListener("focusout", e => { if (e.target.id === "composer-text") closePeople(e.target); });
  doc.addEventListener("keydown", e => {
    if (!people || e.target.id !== "composer-text" || e.isComposing) return;
    const items = [...people.children], at = items.findIndex(li => li.getAttribute("aria-selected") === "true");
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      items[at]?.setAttribute("aria-selected", "false");
      const next = items[(at + (e.key === "ArrowDown" ? 1 : -1) + items.length) % items.length];
      next.setAttribute("aria-selected", "true");
      e.target.setAttribute("aria-activedescendant", next.id);
    } else if ((e.key === "Enter" && !e.ctrlKey && !e.metaKey || e.key === "Tab") && items[at]) choosePerson(e.target, items[at]);
    else if (e.key === "Escape") closePeople(e.target);
    else return;
    e.preventDefault();
    e.stopImmediatePropagation();
  }, true);

  // Choosing rows: the box, x on the row in focus, shift for everything between.
  let lastPick = null;
  function countPicks() {
    const bar = $("#bulk"), n = $$("#rows input[data-pick]:checked").length, words = $("#picked");
    if (!bar) return;
    bar.classList.toggle("on", n > 0 || $("#pick-all").checked);
    words.textContent = (n === 1 ? words.dataset.one : words.dataset.many).replace("{n}", n);
  }
  function pickTo(box) {
    const all = $$("#rows input[data-pick]"), a = all.indexOf(lastPick), b = all.indexOf(box);
    if (a >= 0 && b >= 0) for (const i of all.slice(Math.min(a, b), Math.max(a, b) + 1)) i.checked = box.checked;
  }
  doc.addEventListener("click", e => {
    const box = e.target.closest?.("input[data-pick]");
    if (box) { if (e.shiftKey) pickTo(box); lastPick = box; countPicks(); }
    else if (e.target.id === "pick-all") countPicks();
    else if (e.target.closest?.("[data-unpick]")) { for (const i of $$("#rows input[data-pick]:checked")) i.checked = false; $("#pick-all").checked = false; countPicks(); }
  });
  // Of an action only its own inputs are shown; whoever fills in a deed has chosen it.
  function dressDeeds() {
    const moves = $("select[data-moves]");
    if (!moves) return;
    const needs = (moves.selectedOptions[0]?.dataset.needs || "").split(" ");
    for (const el of $$("input, select", moves.parentElement)) if (el !== moves) el.hidden = !needs.includes(el.name);
    for (const group of $$('select[name="reason"] optgroup', moves.parentElement)) group.hidden = group.label !== moves.selectedOptions[0]?.textContent;
  }
  doc.addEventListener("input", e => {
    const radio = e.target.type !== "radio" && e.target.closest?.(".deed") && $('input[type="radio"]', e.target.closest(".deed"));
    if (radio) radio.checked = true;
    if (e.target.matches?.("select[data-moves]")) dressDeeds();
  });
  function pickRow(shift) {
    const row = doc.activeElement?.closest?.("[data-row]") || $("#rows a[aria-current=true]")?.closest("[data-row]"), box = row && $("input[data-pick]", row);
    if (!box) return false;
    box.checked = !box.checked;
    if (shift) pickTo(box);
    lastPick = box;
    countPicks();
    return true;
  }

  // Clicks -------------------------------------------------------------------------------------------------------------------
  doc.addEventListener("click", e => {
    const el = e.target.closest("[data-no-macro], [data-close], [data-help], [data-seen-change], .side-toggle, .rows a, details.menu a, details.menu button");
    for (const open of $$("details.menu[open]")) if (!open.contains(e.target)) open.open = false;
    if (!el) return;
    if (el.matches(".side-toggle")) { el.setAttribute("aria-expanded", String(el.getAttribute("aria-expanded") !== "true")); return; }
    if (el.hasAttribute("data-no-macro")) {
      $("#macro").value = ""; $("#macro-note").hidden = true; $("#composer-text")?.focus();
    } else if (el.hasAttribute("data-close")) {
      const d = el.closest("dialog");
      if (d) { e.preventDefault(); d.close(); }
    } else if (el.hasAttribute("data-help")) help.showModal();
    else if (el.hasAttribute("data-seen-change")) {
      // Read again with what may be written now; the draft comes back by itself.
      const form = $("#composer");
      drafts.save(form);
      if ($('input[type="file"]', form)?.files.length) { // chosen files cannot be put back: only the version moves on
        $("#composer-version").value = $("#ticket").dataset.version;
        $("#composer-changed").hidden = true;
        $("textarea", form).focus();
      } else htmx.ajax("GET", page(), { target: "#pane" }).then(() => $("#composer-text")?.focus());
    } else if (el.closest("details.menu")) el.closest("details.menu").open = false;
  });
  // A variable of a macro goes where somebody was writing last.
  let written = null;
  doc.addEventListener("focusin", e => { if (e.target.matches?.("textarea")) written = e.target; });
  doc.addEventListener("click", e => {
    const variable = e.target.closest?.("[data-variable]")?.dataset.variable, area = written?.isConnected ? written : $("main textarea");
    if (!variable || !area) return;
    area.setRangeText(variable, area.selectionStart, area.selectionEnd, "end");
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  for (const d of [dialog, palette, help]) d.addEventListener("click", e => { if (e.target === d) d.close(); });
  dialog.addEventListener("close", () => { $("#dialog-body").replaceChildren(); });

  // htmx ---------------------------------------------------------------------------------------------------------------------
  let busy = 0;
  const bar = $("#progress");
  doc.addEventListener("htmx:beforeRequest", () => { busy++; bar.classList.add("on"); });
  doc.addEventListener("htmx:afterRequest", e => {
    if (--busy <= 0) { busy = 0; bar.classList.remove("on"); }
    const xhr = e.detail.xhr, words = xhr?.getResponseHeader("X-Toast");
    if (words && xhr.status < 400) {
      toast(decodeURIComponent(words), false, xhr.getResponseHeader("X-Undo"));
      if (dialog.open) dialog.close();
      refreshList(); refreshSide();
    }
  });
  doc.addEventListener("htmx:sendError", () => toast(body.dataset.lost, true));
  doc.addEventListener("htmx:afterSwap", e => {
    if (e.detail.target.id === "dialog-body" && !dialog.open && e.detail.target.children.length) {
      dialog.showModal();
      ($("input:not([type=hidden]):checked, select, textarea, input:not([type=hidden])", dialog) || dialog).focus();
    }
    if (e.detail.target.id === "pane") arrived();
    if (e.detail.target.id === "dialog-body") dressDeeds();
    if (e.detail.target.closest?.("#rows") || e.detail.target.matches?.("[data-more]")) $("#rows").dataset.grown = "1";
  });
  doc.addEventListener("ticket-changed", () => refreshTicket());
  // Rows of later pages stay where they are when the first page is read again.
  let refocus = false;
  doc.addEventListener("htmx:beforeSwap", e => {
    const sender = e.detail.requestConfig?.elt;
    if (sender?.id === "composer" && e.detail.xhr.status < 400) { drafts.drop(sender); refocus = !!sender.dataset.typing; }
    if (e.detail.target.matches?.("[data-more]")) {
      $("#rows").dataset.grown = "1";
      const more = e.detail.xhr.responseText.replaceAll("data-row>", "data-row data-later>");
      e.detail.serverResponse = more;
    }
    // A stream that ended in an error page is no ticket.
    if (e.detail.xhr.status === 401) { e.detail.shouldSwap = true; }
  });

  // A ticket or chat has come into the pane.
  function arrived() {
    const open = $("#ticket") || $("#chat");
    $("#cols")?.classList.toggle("has-open", !!open);
    const id = open?.dataset.id || open?.dataset.chat;
    for (const a of $$("#rows a")) {
      if (id && a.pathname.endsWith(id)) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
    }
    if (open) { const h = $("h1", open); if (h) doc.title = h.textContent + doc.title.slice(doc.title.lastIndexOf(" · ")); }
    const stream = $("#stream");
    if (stream) stream.scrollTop = stream.scrollHeight;
    const form = $("#composer");
    if (form?.tagName === "FORM") { drafts.restore(form); dressComposer(); if (refocus) $("textarea", form)?.focus(); }
    refocus = false;
    markSeen();
    startLive();
  }

  // Keys ---------------------------------------------------------------------------------------------------------------------
  const typing = el => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName) && !/^(radio|checkbox|button|submit)$/.test(el.type || ""));
  function step(by) {
    const rows = $$("#rows a, .article-rows a").filter(a => a.closest("[data-row]"));
    if (!rows.length) return;
    let at = rows.indexOf(doc.activeElement);
    if (at < 0) at = rows.findIndex(a => a.getAttribute("aria-current") === "true");
    const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
  let goUntil = 0;
  doc.addEventListener("keydown", e => {
    if (e.isComposing) return; // an input method is at work
    const mod = e.ctrlKey || e.metaKey, key = e.key;
    if (mod && key.toLowerCase() === "k") { e.preventDefault(); openPalette(); return; }
    if (mod && key === "Enter") {
      const form = doc.activeElement?.closest("form");
      if (form) { e.preventDefault(); form.requestSubmit(); }
      return;
    }
    if (key === "Enter" && !e.shiftKey && doc.activeElement?.id === "composer-text" && doc.activeElement.form.dataset.typing) {
      e.preventDefault(); doc.activeElement.form.requestSubmit(); return; // a chat sends with Enter
    }
    if (key === "Escape" && typing(doc.activeElement) && !doc.activeElement.closest("dialog")) { doc.activeElement.blur(); return; }
    if (mod || e.altKey || typing(doc.activeElement)) return;
    const numbers = $("dialog[open] form[data-keys]") || (!$("dialog[open]") && $(".page form[data-keys]"));
    if (/^[1-9]$/.test(key) && numbers) {
      const choice = $(`input[data-number="${key}"]`, numbers);
      if (choice) { e.preventDefault(); choice.checked = true; choice.focus(); choice.dispatchEvent(new Event("change", { bubbles: true })); }
      return;
    }
    if ($("dialog[open]")) return;
    if (Date.now() < goUntil) {
      goUntil = 0;
      const to = $(`[data-go="${CSS.escape(key)}"]`);
      if (to) { e.preventDefault(); to.click(); return; }
    }
    switch (key) {
      case "j": case "ArrowDown": if (key === "j" || doc.activeElement?.closest?.("#rows")) { e.preventDefault(); step(1); } break;
      case "k": case "ArrowUp": if (key === "k" || doc.activeElement?.closest?.("#rows")) { e.preventDefault(); step(-1); } break;
      case "x": case "X": if (pickRow(e.shiftKey)) e.preventDefault(); break;
      case "r": e.preventDefault(); focusComposer(false); break;
      case "n": e.preventDefault(); focusComposer(true); break;
      case "m": { const c = $("#canned"); if (c) { e.preventDefault(); c.focus(); c.showPicker?.(); } break; }
      case "/": { const s = $("#search") || $('input[type="search"]'); if (s) { e.preventDefault(); s.focus(); s.select(); } break; }
      case "g": goUntil = Date.now() + 1500; break;
      case "?": e.preventDefault(); help.showModal(); break;
      default: {
        if (key.length !== 1) return;
        const el = $$(`[data-key="${CSS.escape(key)}"]`).find(x => x.offsetParent !== null);
        if (el) { e.preventDefault(); if (el.matches("input")) el.focus(); else el.click(); }
      }
    }
  });

  // Palette ------------------------------------------------------------------------------------------------------------------
  let commands = [], chosen = 0;
  function openPalette() {
    if ($("dialog[open]")) return;
    commands = $$("[data-cmd]").map(el => {
      const words = el.cloneNode(true);
      $$(".count, kbd, .avatar", words).forEach(x => x.remove());
      const keys = el.dataset.go ? "g " + el.dataset.go : el.dataset.key || "";
      return { el, keys, name: words.textContent.replace(/\s+/g, " ").trim() };
    });
    $("input", palette).value = "";
    drawPalette();
    palette.showModal();
  }
  function drawPalette() {
    const words = $("input", palette).value.trim().toLowerCase(), list = $("#palette-list");
    const found = commands.filter(c => words.split(/\s+/).every(w => c.name.toLowerCase().includes(w))).slice(0, 12);
    if (words) found.push({ name: $("#search")?.placeholder ? `${$("#search").placeholder}: ${words}` : words, search: $("input", palette).value.trim() });
    chosen = 0;
    list.replaceChildren(...found.map((c, i) => {
      const li = doc.createElement("li");
      li.id = "cmd-" + i; li.role = "option"; li.textContent = c.name; li.setAttribute("aria-selected", String(i === 0));
      if (c.keys) { const kbd = doc.createElement("kbd"); kbd.textContent = c.keys; li.append(kbd); }
      li.addEventListener("click", () => runCommand(c));
      li.command = c;
      return li;
    }));
    $("input", palette).setAttribute("aria-activedescendant", found.length ? "cmd-0" : "");
  }
  function runCommand(c) {
    palette.close();
    if (c.search !== undefined) location.href = "/console/inbox?view=all&q=" + encodeURIComponent(c.search);
    else if (c.el.isConnected) c.el.click();
  }
  $("input", palette).addEventListener("input", drawPalette);
  palette.addEventListener("keydown", e => {
    const items = $$("#palette-list li");
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      chosen = (chosen + (e.key === "ArrowDown" ? 1 : -1) + items.length) % (items.length || 1);
      items.forEach((li, i) => li.setAttribute("aria-selected", String(i === chosen)));
      $("input", palette).setAttribute("aria-activedescendant", "cmd-" + chosen);
    } else if (e.key === "Enter" && items[chosen]) { e.preventDefault(); runCommand(items[chosen].command); }
  });

  // Leaving with an article half written asks; the browser says it in its own words.
  const editor = $("[data-guard]");
  const stored = (fn) => { try { return fn(sessionStorage); } catch { return null; } }; // storage is full or off
  const sent = stored(s => s.getItem("draft-sent"));
  if (sent && /^\/console\/knowledge\/[0-9a-f-]{36}$/.test(location.pathname)) stored(s => s.removeItem(sent)); // it is saved: its page is shown
  stored(s => s.removeItem("draft-sent"));
  if (editor) {
    let dirty = false, later = 0;
    const key = "draft:" + body.dataset.user + ":" + new URL(editor.action).pathname;
    const fields = () => $$("[name]", editor).filter(el => el.tagName !== "BUTTON");
    const keep = () => stored(s => s.setItem(key, JSON.stringify(fields().map(el => [el.name, el.value]))));
    const saved = JSON.parse(stored(s => s.getItem(key)) || "null");
    // What came back from the server with an error is newer than what was kept.
    if (saved && sent !== key && !$("#error")) {
      const values = new Map(saved);
      const differs = fields().some(el => el.type !== "hidden" && values.has(el.name) && values.get(el.name) !== el.value);
      if (differs) {
        // The version that it was written on comes back with it: a colleague's change is then seen as one.
        for (const el of fields()) if (values.has(el.name)) el.value = values.get(el.name);
        $("#restored").hidden = false;
        dirty = true;
        $("#e-body").dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
    $("[data-discard]").addEventListener("click", () => { dirty = false; stored(s => s.removeItem(key)); location.reload(); });
    editor.addEventListener("input", () => { dirty = true; clearTimeout(later); later = setTimeout(keep, 300); });
    editor.addEventListener("submit", () => { dirty = false; clearTimeout(later); keep(); stored(s => s.setItem("draft-sent", key)); });
    addEventListener("beforeunload", e => { if (dirty) e.preventDefault(); });
  }

  dressDeeds();
  arrived();
})();
