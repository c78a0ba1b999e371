/* Times as text. Days and civil dates convert by eras of 400 years (146,097 days) that begin on a
 * first of March. */
#include "base.h"
#include <stdio.h>

#define YEAR_MIN 1970
#define YEAR_MAX 2261

static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* months since March */
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int days_in_month(int year, int month)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* ---- parsing: each take_* moves at and says whether it found what it looks for ---- */

struct reader {
    const uint8_t *at, *end;
};

static bool take_digits(struct reader *r, int n, int *value)
{
    if (r->end - r->at < n)
        return false;
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (r->at[i] < '0' || r->at[i] > '9')
            return false;
        v = v * 10 + (r->at[i] - '0');
    }
    r->at += n;
    *value = v;
    return true;
}

static bool take_any(struct reader *r, const char *chars)
{
    if (r->at == r->end || *r->at == '\0' || !strchr(chars, *r->at))
        return false;
    r->at++;
    return true;
}

static bool take_date(struct reader *r, int64_t *days)
{
    int year, month, day;
    if (!take_digits(r, 4, &year) || !take_any(r, "-") || !take_digits(r, 2, &month) ||
        !take_any(r, "-") || !take_digits(r, 2, &day))
        return false;
    /* an offset may move a time near the edge into the range: the instant is checked again */
    if (year < YEAR_MIN - 1 || year > YEAR_MAX + 1 || month < 1 || month > 12 || day < 1 ||
        day > days_in_month(year, month))
        return false;
    *days = days_from_civil(year, month, day);
    return true;
}

/* .678 or ,678: one digit or more, those past the sixth are cut */
static bool take_fraction(struct reader *r, int64_t *micros)
{
    int64_t value = 0, unit = SECOND_US;
    int digit;
    if (!take_digits(r, 1, &digit))
        return false;
    do {
        unit /= 10;
        value += digit * unit;
    } while (take_digits(r, 1, &digit));
    *micros = value;
    return true;
}

/* Z, +hh:mm, +hhmm, +hh, or nothing */
static bool take_offset(struct reader *r, int32_t *seconds)
{
    *seconds = 0;
    if (r->at == r->end || take_any(r, "Zz"))
        return true;
    bool west = *r->at == '-';
    int hours, minutes = 0;
    if (!take_any(r, "+-") || !take_digits(r, 2, &hours))
        return false;
    if (r->at < r->end) {
        take_any(r, ":");
        if (!take_digits(r, 2, &minutes))
            return false;
    }
    if (hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
    return true;
}

/* hh:mm[:ss[.fraction]][offset] */
static bool take_time(struct reader *r, int64_t *micros, int32_t *offset, bool *leap_second)
{
    int hour, minute, second = 0;
    int64_t fraction = 0;
    if (!take_digits(r, 2, &hour) || !take_any(r, ":") || !take_digits(r, 2, &minute))
        return false;
    if (take_any(r, ":")) {
        if (!take_digits(r, 2, &second) || (take_any(r, ".,") && !take_fraction(r, &fraction)))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 60 || !take_offset(r, offset))
        return false;
    *leap_second = second == 60;
    *micros = hour * HOUR_US + minute * MINUTE_US + second * SECOND_US + fraction;
    return true;
}

int time_parse(int64_t *time_us, int32_t *offset_s, struct slice text)
{
    if (text.size < 10)
        return ERR_INVALID;
    struct reader r = {text.data, text.data + text.size};
    int64_t days, micros = 0;
    int32_t offset = 0;
    bool leap_second = false;
    if (!take_date(&r, &days))
        return ERR_INVALID;
    if (r.at < r.end && (!take_any(&r, "Tt ") || !take_time(&r, &micros, &offset, &leap_second)))
        return ERR_INVALID;
    if (r.at != r.end)
        return ERR_INVALID;
    int64_t result = days * DAY_US + micros - offset * SECOND_US;
    /* a leap second comes only at the end of a UTC day; as POSIX has it, it is the next day's first
     */
    if (leap_second && result % DAY_US >= SECOND_US)
        return ERR_INVALID;
    if (result < 0 || result >= days_from_civil(YEAR_MAX + 1, 1, 1) * DAY_US)
        return ERR_INVALID;
    *time_us = result;
    if (offset_s)
        *offset_s = offset;
    return STATUS_OK;
}

static char *put_digits(char *at, unsigned number, int width)
{
    for (int i = width; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + width;
}

void time_format(char out[TIME_TEXT_SIZE], int64_t time_us)
{
    out[0] = '\0';
    if (time_us == TIME_NONE)
        return;
    int64_t days = time_us / DAY_US, rest = time_us % DAY_US;
    if (rest < 0) {
        rest += DAY_US;
        days--;
    }
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    int hour = (int)(rest / HOUR_US), minute = (int)(rest / MINUTE_US % 60);
    int second = (int)(rest / SECOND_US % 60), micros = (int)(rest % SECOND_US);
    bool whole = micros % 1000 == 0;
    /* for each message that is said: without printf, which costs ten times as much */
    char *at = out;
    if (year < 0 || year > 9999)
        at += snprintf(out, 12, "%04lld",
                       (long long)year); /* an int64 has seven characters at most */
    else
        at = put_digits(at, (unsigned)year, 4);
    *at++ = '-';
    at = put_digits(at, (unsigned)month, 2);
    *at++ = '-';
    at = put_digits(at, (unsigned)day, 2);
    *at++ = 'T';
    at = put_digits(at, (unsigned)hour, 2);
    *at++ = ':';
    at = put_digits(at, (unsigned)minute, 2);
    *at++ = ':';
    at = put_digits(at, (unsigned)second, 2);
    *at++ = '.';
    at = put_digits(at, (unsigned)(whole ? micros / 1000 : micros), whole ? 3 : 6);
    *at++ = 'Z';
    *at = '\0';
}
