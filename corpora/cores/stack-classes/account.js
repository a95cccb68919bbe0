'use strict';

// Every way a class can run code, each calling the next.
const { die } = require('./die');

class Ledger {
  static #instances = 0;

  static open(name) {
    return Ledger.#register(new this(name));
  }

  static #register(ledger) {
    Ledger.#instances++;
    ledger.balance = 100;
    return ledger;
  }

  constructor(name) {
    this.name = name;
  }
}

class Account extends Ledger {
  #limit = 10;
  entries = [1, 2, 3];

  constructor(name) {
    super(name);
    this.opened = true;
  }

  set balance(value) {
    this.#check(value);
  }

  get total() {
    return this.sum();
  }

  #check(value) {
    if (value > this.#limit) this.limited = this.total;
  }

  sum() {
    let sum = 0;
    for (const entry of this) sum += entry;
    return sum;
  }

  *[Symbol.iterator]() {
    for (const entry of this.entries) {
      yield new Entry(this, entry).amount;
    }
  }
}

class Base {
  constructor(owner) {
    this.owner = owner;
    this.prepare();
  }
}

class Entry extends Base {
  amount = this.compute();

  constructor(owner, amount) {
    super(owner);
    this.raw = amount;
  }

  prepare() {
    this.prepared = `${{ toString: () => this.owner.name }}`;
  }

  compute() {
    return +{ [Symbol.toPrimitive]: this.convert };
  }

  convert(hint) {
    return Entry.convertAll(hint);
  }

  static convertAll = (hint) => {
    const unnamed = [
      function () {
        return computed['to ' + hint]();
      },
    ];
    return unnamed[0]();
  };
}

const computed = {
  ['to ' + 'number']() {
    return legacy.call({ plain: 'object' });
  },
};

function legacy() {
  return new LegacyEntry(1);
}

function LegacyEntry(value) {
  this.value = value;
  this.finish();
}

LegacyEntry.prototype.finish = function () {
  die();
};

module.exports = { Account };
