# shellcheck shell=bash disable=SC2154,SC2034
# The same birds in the forms of the other clients, whole and broken: part of test_canary.

base64_of() {
    printf '%s' "$1" | base64 -w0
}

# PostHog: plain, a batch, a form with base64
posthog="{\"event\":\"mailed $mail\",\"uuid\":\"p-$run\",\"api_key\":\"$write_key\",\"distinct_id\":\"canary-user-1\",\"properties\":{\"\$device_id\":\"canary-device-1\",\"\$current_url\":\"$page_url\",\"\$ip\":\"$address\",\"\$user_id\":\"canary-user-1\",\"\$set\":$traits,\"text\":\"$text\",\"more\":$properties}}"
send "posthog" "POST /e/" '' "$posthog"
send "posthog identify" "POST /capture/" '' "${posthog/mailed $mail/\$identify}"
send "posthog batch" "POST /batch/" '' "{\"api_key\":\"$write_key\",\"batch\":[$posthog,{\"event\":\"$mail\",\"x\":tru}]}"
send "posthog form" "POST /e/" '' "data=$(base64_of "$posthog" | sed 's/+/%2B/g; s#/#%2F#g; s/=/%3D/g')" 'Content-Type: application/x-www-form-urlencoded'

# RudderStack and Jitsu
send "rudder" "POST /v1/batch" "$write_key" "{\"batch\":[{\"type\":\"identify\",\"channel\":\"web\",\"messageId\":\"r-$run\",\"rudderId\":\"canary-device-1\",$who,$more}]}"
send "jitsu" "POST /api/s/track" '' "{\"type\":\"track\",\"event\":\"x\",\"messageId\":\"j-$run\",$who,$more}" "X-Write-Key: $write_key"
send "jitsu classic" "POST /api/v1/event?token=$write_key" '' "{\"event_type\":\"mailed\",\"eventn_ctx\":{\"event_id\":\"jc-$run\",\"user\":{\"anonymous_id\":\"canary-device-1\",\"id\":\"canary-user-1\",\"email\":\"$mail\"},\"url\":\"$page_url\",\"page_title\":\"$text\"},\"user\":{\"anonymous_id\":\"canary-device-1\",\"email\":\"$mail\"},\"source_ip\":\"$address\",\"text\":\"$text\"}"

# Snowplow: by POST with contexts in base64, broken ones, by GET
contexts=$(base64_of "{\"schema\":\"iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0\",\"data\":[{\"schema\":\"iglu:com.acme/user/jsonschema/1-0-0\",\"data\":$traits}]}")
unstruct=$(base64_of "{\"schema\":\"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0\",\"data\":{\"schema\":\"iglu:com.acme/mailed/jsonschema/1-0-0\",\"data\":$properties}}")
snowplow="\"eid\":\"s-$run\",\"duid\":\"canary-device-1\",\"uid\":\"canary-user-1\",\"ip\":\"$address\",\"url\":\"$page_url\",\"refr\":\"$page_url\",\"page\":\"$text\",\"ua\":\"Mozilla/5.0 $mail\",\"cx\":\"$contexts\""
send "snowplow" "POST /$write_key/com.snowplowanalytics.snowplow/tp2" '' "{\"schema\":\"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4\",\"data\":[{\"e\":\"ue\",\"ue_px\":\"$unstruct\",$snowplow},{\"e\":\"se\",\"se_ca\":\"$mail\",\"se_ac\":\"$mail\",\"se_la\":\"$text\",\"se_pr\":\"$phone\",$snowplow},{\"e\":\"ue\",\"ue_px\":\"$mail\",$snowplow}]}"
picture() { # name, path and query
    local code
    code=$(curl -sS -m 30 -o /dev/null -w '%{http_code}' "$JOURNEY_URL$2")
    is "$1 is taken" "$code" 200
}
picture "snowplow picture" "/$write_key/i?e=pv&eid=g-$run&duid=canary-device-1&uid=canary-user-1&page=canary.jane%40private.example&url=$(jq -rn --arg u "$page_url" '$u | @uri')"
picture "snowplow broken picture" "/$write_key/i?e=ue&eid=b-$run&ue_px=canary.jane%40private.example&duid=canary-device-1"

# CloudEvents: structured, binary, batch
cloud="{\"specversion\":\"1.0\",\"id\":\"c-$run\",\"source\":\"https://shop.example/$mail\",\"type\":\"mailed $mail\",\"subject\":\"canary-device-1\",\"userid\":\"canary-user-1\",\"data\":$properties}"
curl_events() { # name, content type, body, header...
    local code
    code=$(curl -sS -m 30 -o /dev/null -w '%{http_code}' -X POST -H "Authorization: Bearer $write_key" -H "Content-Type: $2" "${@:4}" --data-binary "$3" "$JOURNEY_URL/api/v1/events")
    [[ $code = 2* ]] || not_ok "$1 is taken" "status $code"
}
curl_events "cloudevent" application/cloudevents+json "$cloud"
curl_events "cloudevents" application/cloudevents-batch+json "[$cloud,{\"id\":\"$mail\"}]"
curl_events "binary cloudevent" application/json "$properties" -H "ce-specversion: 1.0" -H "ce-id: $mail" -H "ce-source: /$mail" -H "ce-type: mailed $mail" -H "ce-subject: canary-device-1"

# an import
ask POST "/api/v1/imports?form=segment" "$secret_key" "{\"batch\":[{\"type\":\"identify\",\"messageId\":\"i-$run\",$who,$more},{\"type\":\"track\",\"event\":\"$mail\",\"x\":tru}]}"
expect "an import is taken" 200 '.accepted == 1'
