// Find our own script tag, learn where the server is, and put one element into the page.
function known(lang) {
  if (!lang) return null;
  if (LANGS.includes(lang)) return lang;
  return LANGS.find((l) => l.split("-")[0] === lang.toLowerCase().split("-")[0]) || null;
}

function words(lang, key, args) {
  const s = (TEXTS[lang] || TEXTS.en)[key] ?? TEXTS.en[key] ?? key;
  return args ? s.replace(/\{(\w+)\}/g, (all, name) => args[name] ?? all) : s;
}

const script = document.currentScript;

function boot() {
  if (!customElements.get("hotline-chat")) customElements.define("hotline-chat", HotlineChat);
  if (!document.querySelector("hotline-chat")) {
    const el = document.createElement("hotline-chat");
    el.dataset.base = script ? new URL(script.src).origin : location.origin;
    el.dataset.site = (script && script.dataset.site) || "default";
    if (script && script.dataset.lang) el.dataset.lang = script.dataset.lang;
    if (script && script.dataset.open) el.dataset.open = script.dataset.open;
    document.body.append(el);
  }
  const chat = document.querySelector("hotline-chat");
  document.addEventListener("visibilitychange", () => chat.read());
  document.addEventListener("click", (e) => {
    if (e.target instanceof Element && e.target.closest("[data-hotline-open]")) {
      e.preventDefault();
      chat.open();
    }
  });
}

if (document.body) boot();
else document.addEventListener("DOMContentLoaded", boot);
