/* /dev/gpiochip0 for one process, by LD_PRELOAD: the kernel's interface to GPIO lines (linux/gpio.h, version 2) with boards with a TM1638.
 *
 * GPIOCHIP_BOARDS names a file of struct boards: tests write keys and wires into it, and read what is shown. GPIOCHIP_PINS are DIO, CLK
 * and the strobes; GPIOCHIP_USED a pin that somebody else has. What the kernel would refuse is refused. Each call goes into the kernel,
 * too, where it is refused for /dev/null: what a call costs is in what is measured, what a GPIO driver does is not.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINES 54
#define BOARDS 2

struct board {
	uint8_t keys;       /* bit n: key n + 1 is down */
	uint8_t cut;        /* its STB is off */
	uint8_t control;    /* the last display control command */
	uint8_t registers[16];
};

static struct boards {
	struct board board[BOARDS];
	uint32_t calls, errors;
} *boards;

static struct {
	int stb, clk, reading, first, fixed, address, bits, count, pulls_low;
	uint8_t byte, answer[4];
} chips[BOARDS];

static int chip = -1, lines = -1, count;
static DIR *dev;
static uint32_t offsets[GPIO_V2_LINES_MAX];
static uint64_t open_drains, levels;
static int pins[2 + BOARDS], boards_count, used = -1;

static void take(int n, uint8_t byte)
{
	struct board *board = &boards->board[n];

	if (!chips[n].first) {
		if (chips[n].address < 0)
			boards->errors++;
		else
			board->registers[chips[n].address & 15] = byte, chips[n].address += !chips[n].fixed;
		return;
	}
	chips[n].first = 0;
	if (byte == 0x42) {
		chips[n].reading = 1;
		for (int i = 0; i < 4; i++)
			chips[n].answer[i] = (board->keys >> i & 1) | (board->keys >> (i + 4) & 1) << 4;
	} else if (byte == 0x40 || byte == 0x44)
		chips[n].fixed = byte == 0x44;
	else if (byte >> 6 == 3)
		chips[n].address = byte & 15;
	else if (byte >> 6 == 2)
		board->control = byte;
	else
		boards->errors++;
}

static int level(int pin)
{
	for (int i = 0; i < count; i++)
		if ((int)offsets[i] == pin)
			return levels >> i & 1;
	return 1;
}

static int dio_level(void)
{
	int dio = level(pins[0]);

	for (int n = 0; n < boards_count; n++)
		dio &= !chips[n].pulls_low;
	return dio;
}

static void wires(void)
{
	for (int n = 0; n < boards_count; n++) {
		int stb = level(pins[2 + n]) | boards->board[n].cut, clk = level(pins[1]);

		if (stb != chips[n].stb) {
			chips[n].reading = chips[n].bits = chips[n].count = chips[n].pulls_low = 0;
			chips[n].first = 1, chips[n].address = -1;
		} else if (!stb && clk && !chips[n].clk && !chips[n].reading) {
			chips[n].byte = chips[n].byte >> 1 | level(pins[0]) << 7;
			if (++chips[n].bits == 8)
				chips[n].bits = 0, take(n, chips[n].byte);
		} else if (!stb && !clk && chips[n].clk && chips[n].reading) {
			int bit = chips[n].count++;

			chips[n].pulls_low = bit < 32 && !(chips[n].answer[bit / 8] >> bit % 8 & 1);
		}
		chips[n].stb = stb, chips[n].clk = clk;
	}
}

static void begin(void)
{
	char *words = strdup(getenv("GPIOCHIP_PINS")), *word;
	int file = syscall(SYS_openat, AT_FDCWD, getenv("GPIOCHIP_BOARDS"), O_RDWR, 0);

	if (boards)
		return;
	boards = mmap(NULL, sizeof *boards, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	for (boards_count = -2; (word = strsep(&words, " ")); boards_count++)
		pins[boards_count + 2] = atoi(word);
	for (int n = 0; n < BOARDS; n++)
		chips[n].stb = chips[n].clk = 1;
	if (getenv("GPIOCHIP_USED"))
		used = atoi(getenv("GPIOCHIP_USED"));
}

static int request(struct gpio_v2_line_request *wanted)
{
	uint64_t values = 0, drains = 0;

	if (wanted->num_lines < 1 || wanted->num_lines > GPIO_V2_LINES_MAX || !(wanted->config.flags & GPIO_V2_LINE_FLAG_OUTPUT))
		return errno = EINVAL, -1;
	for (unsigned i = 0; i < wanted->config.num_attrs; i++) {
		struct gpio_v2_line_config_attribute *each = &wanted->config.attrs[i];
		uint64_t flags = GPIO_V2_LINE_FLAG_OUTPUT | GPIO_V2_LINE_FLAG_OPEN_DRAIN | GPIO_V2_LINE_FLAG_BIAS_PULL_UP;

		if (each->attr.padding)
			return errno = EINVAL, -1;
		if (each->attr.id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES)
			values = each->attr.values & each->mask;
		else if (each->attr.id == GPIO_V2_LINE_ATTR_ID_FLAGS && each->attr.flags == flags)
			drains = each->mask;
		else
			return errno = EINVAL, -1;
	}
	for (unsigned i = 0; i < wanted->num_lines; i++)
		if ((int)wanted->offsets[i] == used)
			return errno = EBUSY, -1;
	count = wanted->num_lines, levels = values, open_drains = drains;
	memcpy(offsets, wanted->offsets, sizeof offsets);
	wires();
	return wanted->fd = lines = dup(chip);
}

int ioctl(int fd, unsigned long what, ...)
{
	va_list more;
	void *argument;

	va_start(more, what);
	argument = va_arg(more, void *);
	va_end(more);
	if (fd == chip && what == GPIO_GET_CHIPINFO_IOCTL) {
		struct gpiochip_info *info = argument;

		strcpy(info->name, "gpiochip0"), strcpy(info->label, "pinctrl-bcm2711"), info->lines = LINES;
		return 0;
	}
	if (fd == chip && what == GPIO_V2_GET_LINEINFO_IOCTL) {
		struct gpio_v2_line_info *info = argument;

		info->flags = (int)info->offset == used ? GPIO_V2_LINE_FLAG_USED : 0;
		strcpy(info->consumer, info->flags ? "spi0 CS0" : "");
		return 0;
	}
	if (fd == chip && what == GPIO_V2_GET_LINE_IOCTL)
		return request(argument) < 0 ? -1 : 0;
	if (fd == lines && lines >= 0) {
		struct gpio_v2_line_values *values = argument;

		boards->calls++;
		syscall(SYS_ioctl, fd, what, argument);
		if (what == GPIO_V2_LINE_SET_VALUES_IOCTL) {
			levels = (levels & ~values->mask) | (values->bits & values->mask);
			wires();
			return 0;
		}
		if (what == GPIO_V2_LINE_GET_VALUES_IOCTL) {
			uint64_t now = levels;

			for (int i = 0; i < count; i++)
				if ((int)offsets[i] == pins[0] && (open_drains >> i & 1))
					now = (now & ~(1ull << i)) | (uint64_t)dio_level() << i;
			values->bits = now & values->mask;
			return 0;
		}
	}
	return syscall(SYS_ioctl, fd, what, argument);
}

static int opened(const char *path, int flags, int mode)
{
	if (strcmp(path, "/dev/gpiochip0"))
		return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	begin();
	return chip = syscall(SYS_openat, AT_FDCWD, "/dev/null", flags, 0);
}

int open64(const char *path, int flags, ...)
{
	va_list more;
	int mode;

	va_start(more, flags);
	mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, int) : 0;
	va_end(more);
	return opened(path, flags, mode);
}

int close(int fd)
{
	if (fd == lines)
		lines = -1;
	else if (fd == chip)
		chip = -1;
	return syscall(SYS_close, fd);
}

DIR *opendir(const char *path)
{
	DIR *found = ((DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir"))(path);

	if (!strcmp(path, "/dev"))
		dev = found;
	return found;
}

struct dirent64 *readdir64(DIR *directory)
{
	static struct dirent64 entry = {.d_ino = 1, .d_type = DT_CHR, .d_name = "gpiochip0"};
	struct dirent64 *found = ((struct dirent64 * (*)(DIR *)) dlsym(RTLD_NEXT, "readdir64"))(directory);

	if (found || directory != dev)
		return found;
	dev = NULL;
	return &entry;
}
