/*
 * A load generator: HTTP/1.1 with keep-alive over TLS (without --ca: over plain TCP), one thread,
 * epoll.
 *
 * It sends requests on some connections, each as soon as the answer to the last one is there, and
 * says how many it got and how long they took. With --watchers it opens watches first and measures
 * how long events take from the sending of the POST that causes them to each watcher.
 *
 * Every answer is checked: a status other than --expect, a connection that ends or an event that
 * does not come is an error, and then there are no figures. Prints one JSON object. load.py is the
 * same in Python; generator.py runs either.
 *
 * In path and body are replaced: {i} the number of the request from --start on, {o} that number
 * modulo --modulo, {t} the time in nanoseconds (19 digits), {x} 512 digits of noise.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    HEAD_LIMIT = 16384,
    OUT_LIMIT = 65536,
    READ_SIZE = 65536,
    NOISE = 512,
    STAMP_DIGITS = 19,
    TAIL = 32,
    OPENED_AT_ONCE = 32,
};
static const char MARKER[] = "\"ts\":\"";
#define MARKER_SIZE (sizeof MARKER - 1)
static const double STALL_SECONDS = 20;

enum state { CONNECTING, HANDSHAKE, IDLE, SENDING, HEAD, BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER };

struct connection {
    int fd;
    SSL *tls;
    enum state state;
    bool watcher;
    bool ready; /* connected, and a watcher has its head */
    bool writing; /* epoll is asked for EPOLLOUT */
    char *out;
    size_t out_size, out_sent;
    char head[HEAD_LIMIT];
    size_t head_size;
    size_t left; /* bytes of the body or chunk that are still to come */
    size_t line; /* characters of the current trailer line */
    int status;
    double sent_at;
    char tail[TAIL]; /* the end of the events read so far: a time may stand over two reads */
    size_t tail_size;
};

static struct {
    const char *host, *ca, *method, *path, *content_type, *watch_path, *token;
    char *body;
    int port, connections, watchers, expect;
    long count, start, modulo;
    double seconds, rate;
    bool gzip;
} options = {
    .method = "GET", .path = "/", .content_type = "application/json",
    .connections = 1, .expect = 200, .modulo = 1, .seconds = 1,
};

static struct {
    struct sockaddr_in address;
    SSL_CTX *tls;
    int epoll;
    bool running;
    double started, cpu_before, ends, next_send, last_event;
    long issued, answered, bytes;
} run;

static struct { float *values; size_t size, room; } latencies;

static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static double seconds_now(void) { return nanoseconds() / 1e9; }

static void record(double seconds)
{
    if (latencies.size == latencies.room) {
        latencies.room = latencies.room ? latencies.room * 2 : 65536;
        latencies.values = realloc(latencies.values, latencies.room * sizeof *latencies.values);
        if (!latencies.values)
            fail("out of memory");
    }
    latencies.values[latencies.size++] = (float)seconds;
}

/* Requests */

static char *noise(char *to)
{
    static uint64_t state = 88172645463325252ULL;
    for (int i = 0; i < NOISE; i += 16) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        to += sprintf(to, "%016llx", (unsigned long long)state);
    }
    return to;
}

static char *expand(char *to, const char *end, const char *text, long number)
{
    while (*text) {
        if (to + NOISE + 1 > end)
            fail("the request is too long");
        if (text[0] != '{' || !text[1] || text[2] != '}') {
            *to++ = *text++;
            continue;
        }
        switch (text[1]) {
        case 'i': to += sprintf(to, "%ld", number); break;
        case 'o': to += sprintf(to, "%ld", number % options.modulo); break;
        case 't': to += sprintf(to, "%019lld", (long long)nanoseconds()); break;
        case 'x': to = noise(to); break;
        default: *to++ = *text++; continue;
        }
        text += 3;
    }
    *to = 0;
    return to;
}

static void build(struct connection *c)
{
    static char path[OUT_LIMIT], body[OUT_LIMIT];
    long number = options.start + run.issued;
    const char *method = c->watcher ? "GET" : options.method;
    const char *template = !c->watcher && options.body ? options.body : "";
    expand(path, path + sizeof path, c->watcher ? options.watch_path : options.path, number);
    size_t size = (size_t)(expand(body, body + sizeof body, template, number) - body);
    int head = snprintf(c->out, OUT_LIMIT,
                        "%s %s HTTP/1.1\r\nHost: %s:%d\r\nAccept: application/json\r\n"
                        "Authorization: Bearer %s\r\n%s",
                        method, path, options.host, options.port, options.token,
                        options.gzip ? "Accept-Encoding: gzip\r\n" : "");
    if (size)
        head += snprintf(c->out + head, OUT_LIMIT - (size_t)head,
                         "Content-Type: %s\r\nContent-Length: %zu\r\n", options.content_type, size);
    if ((size_t)head + 2 + size > OUT_LIMIT)
        fail("the request is too long");
    memcpy(c->out + head, "\r\n", 2);
    memcpy(c->out + head + 2, body, size);
    c->out_size = (size_t)head + 2 + size;
    c->out_sent = 0;
}

static void want_writes(struct connection *c, bool writing)
{
    if (c->writing == writing)
        return;
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(run.epoll, EPOLL_CTL_MOD, c->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
    c->writing = writing;
}

static bool would_block(void) { return errno == EAGAIN || errno == EWOULDBLOCK; }

/* What was written or read; 0: nothing now; -1: the connection is over. */

static int put(struct connection *c, const char *data, size_t size)
{
    if (!c->tls) {
        ssize_t done = send(c->fd, data, size, MSG_NOSIGNAL);
        return done > 0 ? (int)done : done < 0 && would_block() ? 0 : -1;
    }
    int done = SSL_write(c->tls, data, (int)size);
    return done > 0 ? done : SSL_get_error(c->tls, done) == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static int get(struct connection *c, char *data, size_t size)
{
    if (!c->tls) {
        ssize_t done = recv(c->fd, data, size, 0);
        return done > 0 ? (int)done : done < 0 && would_block() ? 0 : -1;
    }
    int done = SSL_read(c->tls, data, (int)size);
    return done > 0 ? done : SSL_get_error(c->tls, done) == SSL_ERROR_WANT_READ ? 0 : -1;
}

static void flush(struct connection *c)
{
    while (c->out_sent < c->out_size) {
        int done = put(c, c->out + c->out_sent, c->out_size - c->out_sent);
        if (done < 0)
            fail("the connection broke while a request was sent");
        if (!done) {
            want_writes(c, true);
            return;
        }
        c->out_sent += (size_t)done;
    }
    want_writes(c, false);
    c->state = HEAD;
    c->head_size = 0;
}

static bool more(void)
{
    return options.count ? run.issued < options.count : seconds_now() < run.ends;
}

/* Send the next request, or rest: when there is no more to send, or not yet. */
static void issue(struct connection *c)
{
    c->state = IDLE;
    if (!run.running || !more())
        return;
    if (options.rate > 0) {
        double now = seconds_now();
        if (now < run.next_send)
            return;
        run.next_send += 1 / options.rate;
    }
    build(c);
    run.issued++;
    c->sent_at = seconds_now();
    c->state = SENDING;
    flush(c);
}

/* Answers */

static void finished(struct connection *c)
{
    if (c->watcher)
        fail("a watch ended");
    run.answered++;
    if (!options.watchers)
        record(seconds_now() - c->sent_at);
    issue(c);
}

static void scan_events(struct connection *c, const char *data, size_t size)
{
    static char joined[TAIL + READ_SIZE];
    int64_t now = nanoseconds();
    memcpy(joined, c->tail, c->tail_size);
    memcpy(joined + c->tail_size, data, size);
    const char *at = joined, *end = joined + c->tail_size + size, *found;
    while ((found = memmem(at, (size_t)(end - at), MARKER, MARKER_SIZE))) {
        const char *digits = found + MARKER_SIZE;
        if (end - digits < STAMP_DIGITS)
            break;
        char stamp[STAMP_DIGITS + 1] = {0};
        memcpy(stamp, digits, STAMP_DIGITS);
        record((double)(now - atoll(stamp)) / 1e9);
        run.last_event = now / 1e9;
        at = digits + STAMP_DIGITS;
    }
    size_t rest = (size_t)(end - at);
    c->tail_size = rest < TAIL ? rest : TAIL;
    memcpy(c->tail, end - c->tail_size, c->tail_size);
}

static void data_came(struct connection *c, const char *data, size_t size)
{
    if (c->watcher)
        scan_events(c, data, size);
}

static void head_came(struct connection *c, char *rest, size_t rest_size)
{
    c->status = atoi(c->head + sizeof "HTTP/1.1");
    int expected = c->watcher ? 200 : options.expect;
    if (c->status != expected)
        fail("%s %s answered %d, not %d: %.*s", c->watcher ? "GET" : options.method,
             c->watcher ? options.watch_path : options.path, c->status, expected,
             (int)(rest_size < 300 ? rest_size : 300), rest);
    if (c->watcher) {
        c->ready = true;
        run.bytes = 0;
    }
    const char *length = strcasestr(c->head, "\r\ncontent-length:");
    if (strcasestr(c->head, "\r\ntransfer-encoding: chunked")) {
        c->state = CHUNK_SIZE;
        c->left = 0;
    } else {
        c->state = BODY;
        c->left = length ? strtoul(length + sizeof "\r\ncontent-length:" - 1, NULL, 10) : 0;
    }
}

/* Each of these takes what it can use and gives back how much that was. */

static size_t take_head(struct connection *c, char *data, size_t size)
{
    size_t room = HEAD_LIMIT - 1 - c->head_size, before = c->head_size;
    size_t taken = size < room ? size : room;
    memcpy(c->head + before, data, taken);
    c->head_size += taken;
    c->head[c->head_size] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        if (taken == room)
            fail("the head of an answer is too long");
        return taken;
    }
    size_t used = (size_t)(end + 4 - c->head) - before;
    end[2] = 0;
    head_came(c, data + used, size - used);
    if (c->state == BODY && !c->left)
        finished(c);
    return used;
}

static size_t take_data(struct connection *c, const char *data, size_t size)
{
    size_t taken = size < c->left ? size : c->left;
    data_came(c, data, taken);
    c->left -= taken;
    if (c->left)
        return taken;
    if (c->state == BODY)
        finished(c);
    else
        c->state = CHUNK_END;
    return taken;
}

static size_t take_chunk_size(struct connection *c, char byte)
{
    if (byte >= '0' && byte <= '9')
        c->left = c->left * 16 + (size_t)(byte - '0');
    else if ((byte | 32) >= 'a' && (byte | 32) <= 'f')
        c->left = c->left * 16 + (size_t)((byte | 32) - 'a' + 10);
    else if (byte == '\n') {
        c->state = c->left ? CHUNK_DATA : TRAILER;
        c->line = 0;
    } else if (byte != '\r')
        fail("a chunk has an odd size");
    return 1;
}

static size_t take_chunk_end(struct connection *c, char byte)
{
    if (byte == '\n')
        c->state = CHUNK_SIZE;
    return 1;
}

static size_t take_trailer(struct connection *c, char byte)
{
    if (byte == '\n' && !c->line)
        finished(c);
    else
        c->line = byte == '\n' ? 0 : c->line + (byte != '\r');
    return 1;
}

static void feed(struct connection *c, char *data, size_t size)
{
    run.bytes += (long)size;
    while (size) {
        size_t taken;
        switch (c->state) {
        case HEAD: taken = take_head(c, data, size); break;
        case BODY:
        case CHUNK_DATA: taken = take_data(c, data, size); break;
        case CHUNK_SIZE: taken = take_chunk_size(c, *data); break;
        case CHUNK_END: taken = take_chunk_end(c, *data); break;
        case TRAILER: taken = take_trailer(c, *data); break;
        default: fail("an answer came that nobody asked for"); return;
        }
        data += taken;
        size -= taken;
    }
}

/* Connections */

static void connected(struct connection *c)
{
    if (!c->watcher) {
        c->ready = true;
        c->state = IDLE;
        return;
    }
    build(c);
    c->state = SENDING;
    flush(c);
}

static void shake_hands(struct connection *c)
{
    if (c->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error)
            fail("connect: %s", strerror(error));
        c->state = HANDSHAKE;
    }
    if (!c->tls) {
        want_writes(c, false);
        connected(c);
        return;
    }
    int done = SSL_do_handshake(c->tls);
    if (done == 1) {
        want_writes(c, false);
        connected(c);
        return;
    }
    int error = SSL_get_error(c->tls, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        fail("TLS: %s", ERR_error_string(ERR_get_error(), NULL));
    want_writes(c, error == SSL_ERROR_WANT_WRITE);
}

static void read_all(struct connection *c)
{
    static char data[READ_SIZE];
    for (;;) {
        int size = get(c, data, sizeof data);
        if (size < 0)
            fail("the server closed a connection");
        if (!size)
            return;
        feed(c, data, (size_t)size);
    }
}

static void handle(struct connection *c, uint32_t events)
{
    if (c->state == CONNECTING || c->state == HANDSHAKE) {
        shake_hands(c);
        return;
    }
    if (c->state == SENDING && (events & EPOLLOUT))
        flush(c);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        read_all(c);
}

static void poll_once(int milliseconds)
{
    struct epoll_event events[256];
    int count = epoll_wait(run.epoll, events, 256, milliseconds);
    for (int i = 0; i < count; i++)
        handle(events[i].data.ptr, events[i].events);
}

static void open_connection(struct connection *c)
{
    int on = 1;
    c->out = malloc(OUT_LIMIT);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0 || !c->out)
        fail("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, (struct sockaddr *)&run.address, sizeof run.address) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    if (run.tls) {
        c->tls = SSL_new(run.tls);
        SSL_set_fd(c->tls, c->fd);
        SSL_set_connect_state(c->tls);
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->tls), options.host);
    }
    c->writing = true;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, c->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

static void open_all(struct connection *all, int count)
{
    for (int opened = 0; opened < count;) {
        int first = opened;
        for (; opened < count && opened < first + OPENED_AT_ONCE; opened++)
            open_connection(&all[opened]);
        double deadline = seconds_now() + STALL_SECONDS;
        for (int i = first; i < opened;) {
            if (all[i].ready) {
                i++;
                continue;
            }
            if (seconds_now() > deadline)
                fail("the server takes no more connections after %d", i);
            poll_once(100);
        }
    }
}

static void prepare_tls(void)
{
    run.tls = SSL_CTX_new(TLS_client_method());
    if (!run.tls || SSL_CTX_load_verify_locations(run.tls, options.ca, NULL) != 1)
        fail("the certificates in %s cannot be used", options.ca);
    SSL_CTX_set_verify(run.tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(run.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(run.tls, 1);
    SSL_CTX_set_default_read_buffer_len(run.tls, READ_SIZE);
}

/* The two ways to run */

static void request_until_done(struct connection *all)
{
    for (;;) {
        bool busy = false;
        for (int i = 0; i < options.connections; i++)
            busy = busy || all[i].state != IDLE;
        if (!busy && !more())
            return;
        if (seconds_now() > run.ends + STALL_SECONDS && !options.count)
            fail("an answer does not come");
        poll_once(100);
    }
}

static void watch_until_done(struct connection *all)
{
    size_t wanted = (size_t)options.watchers * (size_t)options.count;
    run.last_event = seconds_now();
    while (latencies.size < wanted || run.answered < options.count) {
        poll_once(options.rate > 0 ? 1 : 100);
        for (int i = options.watchers; i < options.watchers + options.connections; i++)
            if (all[i].state == IDLE)
                issue(&all[i]);
        if (seconds_now() - run.last_event > STALL_SECONDS)
            fail("%zu of %zu events came", latencies.size, wanted);
    }
    if (latencies.size > wanted)
        fail("%zu events came instead of %zu", latencies.size, wanted);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double percentile(double share)
{
    return latencies.size ? latencies.values[(size_t)((double)(latencies.size - 1) * share)] * 1e3 : 0;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void print_result(double seconds)
{
    double cpu = cpu_seconds() - run.cpu_before;
    qsort(latencies.values, latencies.size, sizeof *latencies.values, compare);
    printf("{\"count\":%zu,\"seconds\":%.6f,\"rate\":%.2f,\"p50_ms\":%.4f,\"p99_ms\":%.4f,"
           "\"max_ms\":%.4f,\"bytes\":%ld,\"cpu_seconds\":%.3f}\n",
           latencies.size, seconds, (double)latencies.size / seconds, percentile(.5),
           percentile(.99), percentile(1), run.bytes, cpu);
}

/* Options */

static char *read_file(const char *name)
{
    FILE *file = fopen(name, "r");
    char *text = calloc(1, OUT_LIMIT);
    if (!file || !text || fread(text, 1, OUT_LIMIT - 1, file) == 0)
        fail("%s cannot be read", name);
    fclose(file);
    return text;
}

static void read_options(int count, char **arguments)
{
    static const struct option known[] = {
        {"address", 1, 0, 'a'}, {"ca", 1, 0, 'A'}, {"method", 1, 0, 'm'}, {"path", 1, 0, 'p'},
        {"body", 1, 0, 'b'}, {"content-type", 1, 0, 'C'}, {"connections", 1, 0, 'c'},
        {"seconds", 1, 0, 'd'}, {"count", 1, 0, 'n'}, {"start", 1, 0, 's'},
        {"modulo", 1, 0, 'M'}, {"expect", 1, 0, 'e'}, {"gzip", 0, 0, 'z'},
        {"watchers", 1, 0, 'w'}, {"watch-path", 1, 0, 'W'}, {"rate", 1, 0, 'r'}, {0, 0, 0, 0}};
    int each;
    while ((each = getopt_long(count, arguments, "", known, NULL)) != -1)
        switch (each) {
        case 'a': options.host = strsep(&optarg, ":"); options.port = optarg ? atoi(optarg) : 0; break;
        case 'A': options.ca = optarg; break;
        case 'm': options.method = optarg; break;
        case 'p': options.path = optarg; break;
        case 'b': options.body = read_file(optarg); break;
        case 'C': options.content_type = optarg; break;
        case 'c': options.connections = atoi(optarg); break;
        case 'd': options.seconds = atof(optarg); break;
        case 'n': options.count = atol(optarg); break;
        case 's': options.start = atol(optarg); break;
        case 'M': options.modulo = atol(optarg); break;
        case 'e': options.expect = atoi(optarg); break;
        case 'z': options.gzip = true; break;
        case 'w': options.watchers = atoi(optarg); break;
        case 'W': options.watch_path = optarg; break;
        case 'r': options.rate = atof(optarg); break;
        default: exit(2);
        }
    options.token = getenv("LOAD_TOKEN");
    if (!options.host || !options.port || !options.token || options.modulo < 1 ||
        (options.watchers && (!options.watch_path || !options.count)))
        fail("needed: --address IP:PORT, LOAD_TOKEN, with --watchers also --watch-path and --count");
}

int main(int count, char **arguments)
{
    read_options(count, arguments);
    struct rlimit files = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    run.address.sin_family = AF_INET;
    run.address.sin_port = htons((uint16_t)options.port);
    if (inet_pton(AF_INET, options.host, &run.address.sin_addr) != 1)
        fail("--address needs an IPv4 address");
    if (options.ca)
        prepare_tls();
    run.epoll = epoll_create1(0);
    int all_count = options.watchers + options.connections;
    struct connection *all = calloc((size_t)all_count, sizeof *all);
    for (int i = 0; i < options.watchers; i++)
        all[i].watcher = true;
    open_all(all, all_count);
    run.bytes = 0;
    run.cpu_before = cpu_seconds();
    run.started = run.next_send = seconds_now();
    run.ends = run.started + options.seconds;
    run.running = true;
    for (int i = options.watchers; i < all_count; i++)
        issue(&all[i]);
    if (options.watchers)
        watch_until_done(all);
    else
        request_until_done(all);
    print_result((options.watchers ? run.last_event : seconds_now()) - run.started);
    return 0;
}
