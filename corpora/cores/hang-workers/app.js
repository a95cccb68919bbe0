// Two workers take the same two locks in different order; the main thread has nothing to do.
const { Worker, isMainThread, workerData } = require('worker_threads');

class Mutex {
    constructor(shared, index) {
        this.cells = new Int32Array(shared);
        this.index = index;
    }
    lock() {
        while (Atomics.compareExchange(this.cells, this.index, 0, 1) !== 0)
            Atomics.wait(this.cells, this.index, 1);
    }
    unlock() {
        Atomics.store(this.cells, this.index, 0);
        Atomics.notify(this.cells, this.index, 1);
    }
}

function transfer(from, to) {
    from.lock();
    Atomics.add(from.cells, 2, 1);
    while (Atomics.load(from.cells, 2) < 2); // both have their first lock
    to.lock();
    to.unlock();
    from.unlock();
}

if (isMainThread) {
    const shared = new SharedArrayBuffer(16);
    for (const order of [[0, 1], [1, 0]]) new Worker(__filename, { workerData: { shared, order } });
    const cells = new Int32Array(shared);
    const timer = setInterval(() => {
        if (Atomics.load(cells, 2) === 2) {
            clearInterval(timer);
            console.log('ready');
        }
    }, 20);
} else {
    const [from, to] = workerData.order.map((index) => new Mutex(workerData.shared, index));
    transfer(from, to);
}
