# Rows of Snowplow's own table (atomic.events, as JSON with its column names) as a tracker would have sent them: members of
# the tracker protocol, their documents in base64url. Times are those that Snowplow derived, sent as true times: what was
# sent years ago has no clock that could be put right by when it is sent again.
def ms: if . == null then null else
    capture("(?<day>[0-9-]+) (?<time>[0-9:]+)(\\.(?<part>[0-9]+))?") |
    (.day + "T" + .time + "Z" | fromdate) * 1000 + ((.part // "") + "000" | .[:3] | tonumber) end;
def document(kind; data): {schema: "iglu:com.snowplowanalytics.snowplow/\(kind)/jsonschema/1-0-0", data: data} | tojson | @base64 | gsub("\\+"; "-") | gsub("/"; "_") | gsub("="; "");
# a column like contexts_com_snowplowanalytics_snowplow_web_page_1_0_0 holds a list of data as text
def contexts: [to_entries[] | select(.key | startswith("contexts_com_snowplowanalytics_snowplow_web_page")) |
    .value | fromjson | .[] | {schema: "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0", data: .}];
def own_data: [to_entries[] | select(.key | startswith("unstruct_event_")) | .value | fromjson | if type == "array" then .[0] else . end] | .[0] // {};
{page_view: "pv", page_ping: "pp", struct: "se", unstruct: "ue", transaction: "tr", transaction_item: "ti"} as $words |
. as $row | contexts as $contexts |
{
    e: $words[.event], eid: .event_id, aid: $app, p: .platform, tna: .name_tracker, tv: .v_tracker,
    ttm: (.derived_tstamp | ms), dtm: (.dvce_created_tstamp | ms), stm: (.dvce_sent_tstamp | ms),
    uid: .user_id, duid: .domain_userid, nuid: .network_userid, sid: .domain_sessionid, vid: .domain_sessionidx,
    url: .page_url, page: .page_title, refr: .page_referrer, ua: .useragent, lang: .br_lang, tz: .os_timezone,
    res: (if .dvce_screenwidth then "\(.dvce_screenwidth)x\(.dvce_screenheight)" else null end),
    se_ca: .se_category, se_ac: .se_action, se_la: .se_label, se_pr: .se_property, se_va: .se_value,
    pp_mix: .pp_xoffset_min, pp_max: .pp_xoffset_max, pp_miy: .pp_yoffset_min, pp_may: .pp_yoffset_max,
    cx: (if $contexts == [] then null else document("contexts"; $contexts) end),
    ue_px: (if .event == "unstruct" then document("unstruct_event";
        {schema: "iglu:\(.event_vendor)/\(.event_name)/\(.event_format)/\(.event_version)", data: ($row | own_data)}) else null end)
} | with_entries(select(.value != null) | .value |= tostring)
