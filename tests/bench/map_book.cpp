// What the book bench is compared with: TotalView-ITCH 5.0 books the straightforward way, an
// std::unordered_map of orders and an std::map of levels for each side of each instrument.
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

namespace {

template <typename T> T big(const uint8_t *p)
{
    T value = 0;
    for (size_t i = 0; i < sizeof(T); i++)
        value = static_cast<T>(value << 8 | p[i]);
    return value;
}

struct Order {
    uint32_t price;
    uint32_t shares;
    uint16_t locate;
    bool buy;
};

struct Book {
    std::map<uint32_t, uint64_t, std::greater<uint32_t>> bids;
    std::map<uint32_t, uint64_t> offers;
};

struct Market {
    std::unordered_map<uint64_t, Order> orders;
    std::vector<Book> books{65536};

    void change(const Order &order, int64_t shares)
    {
        Book &book = books[order.locate];
        if (order.buy)
            change_side(book.bids, order.price, shares);
        else
            change_side(book.offers, order.price, shares);
    }

    template <typename Side> static void change_side(Side &side, uint32_t price, int64_t shares)
    {
        auto level = side.try_emplace(price, 0).first;
        level->second += static_cast<uint64_t>(shares);
        if (level->second == 0)
            side.erase(level);
    }

    void add(uint64_t id, const Order &order)
    {
        if (orders.emplace(id, order).second)
            change(order, order.shares);
    }

    void take(uint64_t id, uint32_t shares)
    {
        auto found = orders.find(id);
        if (found == orders.end())
            return;
        Order &order = found->second;
        if (shares > order.shares)
            shares = order.shares;
        change(order, -static_cast<int64_t>(shares));
        order.shares -= shares;
        if (order.shares == 0)
            orders.erase(found);
    }

    void replace(uint64_t id, uint64_t entered, uint32_t shares, uint32_t price)
    {
        auto found = orders.find(id);
        if (found == orders.end())
            return;
        Order order = found->second;
        take(id, order.shares);
        order.shares = shares;
        order.price = price;
        add(entered, order);
    }

    void message(const uint8_t *m, unsigned length)
    {
        if (length < 19)
            return;
        uint64_t id = big<uint64_t>(m + 11);
        if ((m[0] == 'A' || m[0] == 'F') && length >= 36)
            add(id, {big<uint32_t>(m + 32), big<uint32_t>(m + 20), big<uint16_t>(m + 1),
                     m[19] == 'B'});
        else if (m[0] == 'D')
            take(id, UINT32_MAX);
        else if ((m[0] == 'E' || m[0] == 'C' || m[0] == 'X') && length >= 23)
            take(id, big<uint32_t>(m + 19));
        else if (m[0] == 'U' && length >= 35)
            replace(id, big<uint64_t>(m + 19), big<uint32_t>(m + 27), big<uint32_t>(m + 31));
    }
};

} // namespace

// Runs a BinaryFILE image; tops has four words an instrument: bid, its size, offer, its size.
extern "C" uint64_t map_book(const uint8_t *p, uint64_t size, uint64_t *tops)
{
    Market market;
    const uint8_t *end = p + size;
    uint64_t count = 0;
    while (end - p >= 2) {
        unsigned length = big<uint16_t>(p);
        if (length == 0 || length > end - p - 2)
            break;
        market.message(p + 2, length);
        p += 2 + length;
        count++;
    }
    for (size_t locate = 0; locate < market.books.size(); locate++) {
        const Book &book = market.books[locate];
        uint64_t *top = tops + 4 * locate;
        memset(top, 0, 4 * sizeof *top);
        if (!book.bids.empty()) {
            top[0] = book.bids.begin()->first;
            top[1] = book.bids.begin()->second;
        }
        if (!book.offers.empty()) {
            top[2] = book.offers.begin()->first;
            top[3] = book.offers.begin()->second;
        }
    }
    return count;
}

// Reads the length prefixes and nothing else.
extern "C" uint64_t prefixes(const uint8_t *p, uint64_t size)
{
    const uint8_t *end = p + size;
    uint64_t sum = 0;
    while (end - p >= 2) {
        unsigned length = big<uint16_t>(p);
        sum += length;
        p += 2 + length;
    }
    return sum;
}
