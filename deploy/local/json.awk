# Indents JSON, one value a line. Input: JSON without line breaks inside its strings.
function newline(depth) { printf "\n%*s", 2 * depth + 2, "" }

BEGIN { printf "  " }
{
    for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (inside) {
            printf "%s", c
            if (c == "\\")
                printf "%s", substr($0, ++i, 1)
            else if (c == "\"")
                inside = 0
        } else if (c == "\"") {
            inside = 1
            printf "\""
        } else if (c ~ /[{[]/ && substr($0, i + 1, 1) ~ /[]}]/) {
            printf "%s%s", c, substr($0, ++i, 1)
        } else if (c ~ /[{[]/) {
            printf "%s", c
            newline(++depth)
        } else if (c ~ /[]}]/) {
            newline(--depth)
            printf "%s", c
        } else if (c == ",") {
            printf ","
            newline(depth)
        } else if (c == ":") {
            printf ": "
        } else if (c !~ /[ \t\r]/) {
            printf "%s", c
        }
    }
}
END { printf "\n" }
