"""Is a delay switch that stands on off a request to shut down?"""

SLACK_SECONDS = 10.0


def is_newer(age_seconds: float | None, uptime_seconds: float, answered_at_seconds: float | None) -> bool:
    """Whether the request, made `age_seconds` ago, is newer than this boot and than the last one that was answered.

    `answered_at_seconds` is the uptime when that was. An age that the plug does not know (None) is no request. The slack
    is for the time the age took to get here, so that a doubt never shuts a machine down.
    """
    if age_seconds is None or age_seconds < 0:
        return False
    made_at = uptime_seconds - age_seconds
    return made_at > SLACK_SECONDS and (answered_at_seconds is None or made_at > answered_at_seconds + SLACK_SECONDS)
