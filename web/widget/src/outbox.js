// What was written and not acknowledged yet, in the order in which it was written. Each message is kept under a name of its own, so two tabs of one person
// never overwrite what the other one keeps. A tab also takes up what it finds, for the one that wrote it may be closed: a message that two tabs send is
// stored once, by its ref.
class Outbox {
  constructor(store, gone) {
    this.store = store;
    this.items = [];
    this.adopt();
    addEventListener("storage", (e) => {
      const ref = e.newValue === null && e.key && e.key.startsWith(store.prefix + "out:") && e.key.slice(store.prefix.length + 4);
      if (ref && this.has(ref)) { // another tab had its answer
        this.items = this.items.filter((item) => item.ref !== ref);
        gone(ref);
      }
    });
  }

  has(ref) {
    return this.items.some((item) => item.ref === ref);
  }

  // adopt takes up what is kept and gives what is new here.
  adopt() {
    const found = this.store.names("out:").map((name) => this.store.get(name, null)).filter((item) => item && item.ref && !this.has(item.ref));
    this.items = [...this.items, ...found].sort((a, b) => a.at - b.at);
    return found;
  }

  add(item) {
    item.at = Math.max(Date.now(), ...this.items.map((i) => i.at + 1));
    this.items.push(item);
    this.store.set("out:" + item.ref, item);
  }

  remove(ref) {
    this.items = this.items.filter((item) => item.ref !== ref);
    this.store.remove("out:" + ref);
  }
}

// frame is what the server gets of a message; the rest is only for showing it again.
function frameOf({ files, at, ...item }) {
  return item;
}
