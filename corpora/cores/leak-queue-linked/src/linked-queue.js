'use strict';

class QueueNode {
  next = null;

  constructor(value) {
    this.value = value;
  }
}

// A queue that is quick at both ends, however long it is.
class LinkedQueue {
  #head = null;
  #tail = null;
  size = 0;

  enqueue(value) {
    const node = new QueueNode(value);
    if (this.#tail) this.#tail.next = node;
    else this.#head = node;
    this.#tail = node;
    this.size++;
  }

  dequeue() {
    const node = this.#head;
    if (!node) return undefined;
    this.#head = node.next;
    if (!this.#head) this.#tail = null;
    this.size--;
    return node.value;
  }
}

module.exports = { LinkedQueue };
