// What must survive a reload: the token, the last seq that was read, and what was written and not sent yet (Outbox). Where storage is denied
// (private windows, blocked third parties), memory serves until the page is left.
class Store {
  constructor(scope) {
    this.prefix = "hotline-chat:" + scope + ":";
    this.memory = new Map();
  }

  get(name, fallback) {
    let raw = this.memory.get(name);
    if (raw === undefined) {
      try {
        raw = localStorage.getItem(this.prefix + name);
      } catch {
        raw = null;
      }
    }
    try {
      return raw == null ? fallback : JSON.parse(raw);
    } catch {
      return fallback;
    }
  }

  set(name, value) {
    const raw = JSON.stringify(value);
    try {
      localStorage.setItem(this.prefix + name, raw);
      this.memory.delete(name);
    } catch {
      this.memory.set(name, raw);
    }
  }

  remove(name) {
    this.memory.delete(name);
    try {
      localStorage.removeItem(this.prefix + name);
    } catch {
      // nothing was kept there
    }
  }

  // names lists what is kept under names that begin so.
  names(start) {
    const found = new Set([...this.memory.keys()].filter((name) => name.startsWith(start)));
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(this.prefix + start)) found.add(key.slice(this.prefix.length));
      }
    } catch {
      // nothing is kept there
    }
    return [...found];
  }

  // clear forgets a conversation that is none any more, and not what is still to be sent.
  clear() {
    for (const name of ["token", "seen", "last"]) this.remove(name);
  }
}
