/* gen KIND BYTES: benchmark data of about that size on stdout, the same bytes every time.
 *
 *   words-few   text of 60 thousand distinct words      words-many  text of millions of distinct words
 *   access.log  combined log, 2 % with status 5xx        access.json the same requests as flat objects
 *   retail.csv  orders, some fields quoted               stations.txt name;temperature, 400 names
 *   events.csv  ts,key,value: 1000 a second, 100 keys,   open.csv     ts,key,value: a new key and second each, within a day
 *               up to 5 s out of order
 *   orders.csv  id,customer,amount: 360 thousand          customers.csv customer,city, one after the other
 *               customers                                 sides.csv  t,side,k: 1000 a second of sides l and r, 1000 keys
 *
 * Words, paths and countries follow Zipf's law: rank k with probability about 1/k. */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_FEW 60000
#define N_MANY 20000000
#define N_PATHS 4000
#define N_STATIONS 400
#define N_CUSTOMERS 360000
#define COUNT(a) (sizeof(a) / sizeof *(a))

static uint64_t state = 88172645463325252u;

/* xorshift64: Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static double rnd_unit(void)
{
	return (double)(rnd() >> 11) * 0x1p-53;
}

static uint32_t zipf(uint32_t n)
{
	uint32_t k = (uint32_t)exp(rnd_unit() * log((double)n + 1)) - 1;

	return k < n ? k : n - 1;
}

/* The spelling of rank k: syllables, fewer for smaller ranks. Returns the length. */
static int spell(char *out, uint32_t k)
{
	static const char consonants[] = "tnshrdlcmwfgypbvkj", vowels[] = "eaoiu";
	int n = 0;

	do {
		uint32_t s = k % 90;

		out[n++] = consonants[s % 18];
		out[n++] = vowels[s / 18];
		k /= 90;
	} while (k-- > 0);
	out[n] = 0;
	return n;
}

static size_t text_line(uint32_t n_words)
{
	char line[512];
	int n = 0, words = 6 + (int)(rnd() % 9);

	for (int i = 0; i < words; i++) {
		n += spell(line + n, zipf(n_words));
		line[n++] = i + 1 < words ? ' ' : '\n';
	}
	return fwrite(line, 1, (size_t)n, stdout);
}

static size_t few_line(void)
{
	return text_line(N_FEW);
}

static size_t many_line(void)
{
	return text_line(N_MANY);
}

struct request {
	unsigned ip[4], second, status, bytes;
	const char *method, *referrer, *agent;
	char path[80];
};

static void request_make(struct request *r)
{
	static const char *const methods[] = { "GET", "GET", "GET", "GET", "GET", "GET", "POST", "HEAD" };
	static const char *const folders[] = { "", "/images", "/articles", "/api/v1", "/downloads/files", "/projects" };
	static const char *const referrers[] = { "-", "-", "https://www.example.org/", "https://search.example.com/results?q=stream" };
	static const char *const agents[] = {
		"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
		"ExampleBot/2.1 (+https://www.example.org/bot.html)",
		"curl/7.88.1",
	};
	static const unsigned errors[] = { 500, 500, 502, 503, 503, 504 };
	static const unsigned usual[] = { 200, 200, 200, 200, 200, 200, 206, 301, 304, 404 };
	static unsigned second;
	uint32_t page = zipf(N_PATHS);
	char word[40];
	uint64_t x = rnd();

	spell(word, page * 131 + 7000);
	second += x % 3 == 0;
	r->second = second;
	for (int i = 0; i < 4; i++)
		r->ip[i] = (unsigned)(x >> (8 * i + 8) & 255);
	r->status = (x >> 40) % 50 == 0 ? errors[(x >> 46) % COUNT(errors)] : usual[(x >> 46) % COUNT(usual)];
	r->bytes = (unsigned)(rnd_unit() * 60000) + 120;
	r->method = methods[(x >> 50) % COUNT(methods)];
	r->referrer = referrers[(x >> 53) % COUNT(referrers)];
	r->agent = agents[(x >> 56) % COUNT(agents)];
	snprintf(r->path, sizeof r->path, "%s/%s%u.html", folders[page % COUNT(folders)], word, page % 17);
}

static size_t log_line(void)
{
	struct request r;
	unsigned t;

	request_make(&r);
	t = r.second;
	return (size_t)printf("%u.%u.%u.%u - - [%02u/Oct/2025:%02u:%02u:%02u +0000] \"%s %s HTTP/1.1\" %u %u \"%s\" \"%s\"\n", r.ip[0],
			      r.ip[1], r.ip[2], r.ip[3], t / 86400 % 31 + 1, t / 3600 % 24, t / 60 % 60, t % 60, r.method, r.path,
			      r.status, r.bytes, r.referrer, r.agent);
}

static size_t json_line(void)
{
	struct request r;
	unsigned t;

	request_make(&r);
	t = r.second;
	return (size_t)printf("{\"remote_ip\":\"%u.%u.%u.%u\",\"time\":\"%02u/Oct/2025:%02u:%02u:%02u +0000\",\"method\":\"%s\",\"path\":\"%s\","
			      "\"status\":%u,\"bytes\":%u,\"referrer\":\"%s\",\"agent\":\"%s\"}\n",
			      r.ip[0], r.ip[1], r.ip[2], r.ip[3], t / 86400 % 31 + 1, t / 3600 % 24, t / 60 % 60, t % 60, r.method,
			      r.path, r.status, r.bytes, r.referrer, r.agent);
}

static size_t csv_line(void)
{
	static const char *const countries[] = { "United Kingdom", "Germany", "France", "Ireland", "Spain", "Netherlands", "Belgium",
						 "Switzerland", "Portugal", "Australia", "Norway", "Italy", "Channel Islands",
						 "Finland", "Cyprus", "Sweden", "Unspecified", "Austria", "Denmark", "Japan" };
	static const char *const goods[] = { "WHITE METAL LANTERN", "GLASS STAR FROSTED T-LIGHT HOLDER", "SET OF 6 TEA PLATES",
					     "\"CUSHION, BLUE STRIPE\"", "HAND WARMER UNION JACK", "\"SIGN \"\"KITCHEN\"\" ENAMEL\"",
					     "ALARM CLOCK BAKELIKE RED", "\"PAPER CHAIN KIT, 50'S CHRISTMAS\"", "JUMBO BAG RED POLKADOT" };
	static unsigned invoice = 536365, second;
	uint64_t x = rnd();

	invoice += x % 16 == 0;
	second += x % 7;
	return (size_t)printf("%u,%u%s,%s,%d,2025-%02u-%02u %02u:%02u:00,%u.%02u,%s,%s\n", invoice, 20000 + zipf(3000),
			      x % 11 ? "" : "A", goods[(x >> 8) % COUNT(goods)], (int)((x >> 16) % 24) - 1, second / 2678400 % 12 + 1,
			      second / 86400 % 28 + 1, second / 3600 % 24, second / 60 % 60, (unsigned)((x >> 24) % 20),
			      (unsigned)((x >> 32) % 100), x % 4 ? "17850" : "", countries[zipf(COUNT(countries))]);
}

static size_t station_line(void)
{
	char name[40];
	uint64_t x = rnd();
	unsigned k = (unsigned)(x >> 8) % N_STATIONS;
	int mean = (int)(k * 7919 % 450) - 100, tenths = mean;

	for (int i = 0; i < 4; i++)
		tenths += (int)(x >> (20 + 10 * i) & 127) - 64;
	spell(name, k * 2003 + 9000);
	name[0] = (char)(name[0] - 32);
	return (size_t)printf("%s;%s%d.%d\n", name, tenths < 0 ? "-" : "", abs(tenths) / 10, abs(tenths) % 10);
}

/* ts has milliseconds; it may be up to 5 s less than the largest so far. */
static size_t event_line(void)
{
	static uint64_t n;
	uint64_t x = rnd(), ms = 1760000000000u + n++;

	if (x % 10 == 0)
		ms -= x / 10 % 5000;
	return (size_t)printf("%" PRIu64 ".%03u,k%u,%u\n", ms / 1000, (unsigned)(ms % 1000), zipf(100), (unsigned)(x >> 48) % 1000);
}

static size_t open_line(void)
{
	static uint64_t n;

	n++;
	return (size_t)printf("%" PRIu64 ",k%" PRIu64 ",1\n", 1760054400u + n % 86400, n);
}

static size_t order_line(void)
{
	static uint64_t n;
	uint64_t x = rnd();

	return (size_t)printf("%" PRIu64 ",%u,%u\n", ++n, 1 + (unsigned)(x >> 8) % N_CUSTOMERS, (unsigned)(x >> 48) % 10000);
}

static size_t customer_line(void)
{
	static uint64_t n;

	n++;
	return (size_t)printf("%" PRIu64 ",city%u\n", n, (unsigned)(n * 7919 % 500));
}

static size_t side_line(void)
{
	static uint64_t n;
	uint64_t x = rnd(), ms = 1760000000000u + n++;

	return (size_t)printf("%" PRIu64 ".%03u,%c,%u\n", ms / 1000, (unsigned)(ms % 1000), x >> 40 & 1 ? 'l' : 'r', (unsigned)(x >> 48) % 1000);
}

static const struct kind {
	const char *name, *header;
	size_t (*line)(void);
} kinds[] = {
	{ "words-few", "", few_line },	      { "words-many", "", many_line },
	{ "access.log", "", log_line },	      { "access.json", "", json_line },
	{ "retail.csv", "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n", csv_line },
	{ "stations.txt", "", station_line },
	{ "events.csv", "ts,key,value\n", event_line },
	{ "open.csv", "ts,key,value\n", open_line },
	{ "orders.csv", "id,customer,amount\n", order_line },
	{ "customers.csv", "customer,city\n", customer_line },
	{ "sides.csv", "t,side,k\n", side_line },
};

int main(int argc, char **argv)
{
	uint64_t want = argc == 3 ? strtoull(argv[2], NULL, 10) : 0, done = 0;

	for (size_t i = 0; argc == 3 && i < COUNT(kinds); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		fputs(kinds[i].header, stdout);
		while (done < want)
			done += kinds[i].line();
		return fclose(stdout) ? 1 : 0;
	}
	fputs("usage: gen KIND BYTES, of the kinds", stderr);
	for (size_t i = 0; i < COUNT(kinds); i++)
		fprintf(stderr, " %s", kinds[i].name);
	fputc('\n', stderr);
	return 2;
}
