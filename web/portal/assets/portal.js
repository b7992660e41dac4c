// What makes the pages nicer where scripts run. Every page works without it.
"use strict";
document.documentElement.classList.add("scripted");

// The error summary is read out and stands in view.
document.querySelector("[data-focus]")?.focus();

// Suggestions while typing a search: a combobox with a list (WAI-ARIA). Enter searches as ever; an article of the list is opened by arrow keys and
// Enter, or by pressing it.
for (const input of document.querySelectorAll("[data-suggest]")) {
  const box = input.parentElement;
  const list = document.createElement("ul");
  list.id = input.id + "-suggestions";
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.suggestLabel);
  const status = document.createElement("p");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  box.append(list, status);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) input.setAttribute(name, value);

  const known = new Map(); // answers of this page, so that a letter taken back asks nobody
  let timer, running, at = -1;
  const close = () => {
    clearTimeout(timer);
    running?.abort();
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (next) => {
    const options = list.children;
    options[at]?.setAttribute("aria-selected", "false");
    at = (next + options.length + 1) % (options.length + 1); // one more than the options: back in the field
    if (at === options.length) {
      at = -1;
      input.removeAttribute("aria-activedescendant");
      return;
    }
    options[at].setAttribute("aria-selected", "true");
    options[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[at].id);
  };
  const show = (q, found) => {
    close();
    list.dataset.query = q; // whose answer stands there
    list.replaceChildren(...found.map(({ title, url }, i) => {
      const option = document.createElement("li");
      option.id = list.id + "-" + i;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.url = url;
      option.textContent = title;
      return option;
    }));
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
    status.textContent = found.length ? input.dataset.suggestSome.replace("#", found.length) : input.dataset.suggestNone;
  };
  const ask = async () => {
    const q = input.value.trimStart();
    if (!q.trim()) return close();
    if (known.has(q)) return show(q, known.get(q));
    running?.abort();
    running = new AbortController();
    try {
      const r = await fetch(input.dataset.suggest + "?q=" + encodeURIComponent(q), { signal: running.signal });
      if (!r.ok) return;
      const found = await r.json();
      known.set(q, found);
      if (document.activeElement === input && input.value.trimStart() === q) show(q, found);
    } catch {
      // suggestions are a convenience
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 150);
  };
  input.addEventListener("input", (e) => {
    if (!e.isComposing) later(); // an input method's letters are not yet words
  });
  input.addEventListener("compositionend", later);
  input.addEventListener("keydown", (e) => {
    if (e.isComposing) return;
    if (e.key === "Escape" && !list.hidden) {
      e.preventDefault();
      close();
    } else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      if (list.hidden) return ask();
      e.preventDefault();
      mark(e.key === "ArrowDown" ? at + 1 : at < 0 ? list.children.length - 1 : at === 0 ? list.children.length : at - 1);
    }
  });
  // Enter reaches the form by the key or, from some keyboards, without one.
  input.form.addEventListener("submit", (e) => {
    if (at < 0) return;
    e.preventDefault();
    location.assign(list.children[at].dataset.url);
  });
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (e) => e.preventDefault()); // the field keeps its focus until the press is done
  list.addEventListener("click", (e) => {
    const option = e.target.closest("[role=option]");
    if (option) location.assign(option.dataset.url);
  });
}

// The device's position, only after the person asked for it.
for (const button of document.querySelectorAll("[data-locate]")) {
  const status = document.getElementById("locate-status");
  if (!navigator.geolocation) {
    button.hidden = true;
    continue;
  }
  button.addEventListener("click", () => {
    status.textContent = button.dataset.finding;
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      document.getElementById("lat").value = coords.latitude.toFixed(6);
      document.getElementById("lon").value = coords.longitude.toFixed(6);
      status.textContent = button.dataset.found;
    }, () => {
      status.textContent = button.dataset.failed;
    }, { enableHighAccuracy: true, timeout: 15000 });
  });
}

// How many characters are left, told when it matters.
for (const area of document.querySelectorAll("[data-count]")) {
  const most = Number(area.dataset.count);
  const note = document.createElement("p");
  note.className = "count";
  note.setAttribute("role", "status");
  area.after(note);
  const show = () => {
    const left = most - [...area.value].length;
    note.textContent = left < 500 ? area.dataset.countWords.replace("#", left) : "";
  };
  area.addEventListener("input", show);
  show();
}

for (const button of document.querySelectorAll("[data-copy-from]")) {
  button.addEventListener("click", async () => {
    const from = document.getElementById(button.dataset.copyFrom);
    const status = document.querySelector(".copy-status");
    try {
      await navigator.clipboard.writeText(from.dataset.copy);
      status.textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(from); // not allowed to write: then it is at least selected
    }
  });
}

for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());

// A second press while the first is on its way does nothing. The server would make one of them anyway.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (e) => {
    if (form.dataset.sent) e.preventDefault();
    form.dataset.sent = "1";
  });
}
addEventListener("pageshow", () => document.querySelectorAll("form[data-once]").forEach((form) => delete form.dataset.sent));
