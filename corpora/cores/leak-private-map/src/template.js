'use strict';

class Literal {
  constructor(text) {
    this.text = text;
  }

  render() {
    return this.text;
  }
}

class Slot {
  constructor(name, offset) {
    this.name = name;
    this.offset = offset;
  }

  render(values) {
    return String(values[this.name] ?? '');
  }
}

class Template {
  constructor(parts) {
    this.parts = parts;
    this.slots = parts.filter((part) => part instanceof Slot).map((slot) => slot.name);
  }

  render(values) {
    return this.parts.map((part) => part.render(values)).join('');
  }
}

function compile(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(/\{(\w+)\}/g)) {
    parts.push(new Literal(text.slice(from, match.index)), new Slot(match[1], match.index));
    from = match.index + match[0].length;
  }
  parts.push(new Literal(text.slice(from)));
  return new Template(parts);
}

module.exports = { Template, compile };
