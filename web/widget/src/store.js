// What must survive a reload: the token, the last seq that was read, and what was written while offline. Where storage is denied
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

  clear() {
    for (const name of ["token", "seen", "outbox", "last"]) {
      this.memory.delete(name);
      try {
        localStorage.removeItem(this.prefix + name);
      } catch {
        // nothing was kept there
      }
    }
  }
}
