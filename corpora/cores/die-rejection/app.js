// A promise is rejected deep in async code, and the one who started it all forgot to await it.
class PaymentError extends Error {
    constructor(message, code) {
        super(message);
        this.name = 'PaymentError';
        this.code = code;
    }
}

async function charge(card) {
    await null;
    if (!card.number) throw new PaymentError('card has no number', 'E_CARD');
}

async function checkout(cart) {
    await charge(cart.card);
    return 'paid';
}

function onOrder() {
    checkout({ card: {} }); // no await, no catch
}

setTimeout(onOrder, 10);
