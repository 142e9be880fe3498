namespace EgressAppliance.Host.Systemd;

/// <summary>
/// Tells from successive readings which parts hang: those that are not idle and have not had a beat for longer than their limit.
/// </summary>
/// <remarks>
/// A part must have been looked at twice since its last beat. After the whole machine stood still (a paused virtual machine), the first look
/// finds every part late, and none of them at fault.
/// </remarks>
public sealed class VitalSigns(TimeProvider time)
{
    private readonly Dictionary<string, Seen> _seen = [];

    /// <summary>Takes a reading of all parts.</summary>
    /// <param name="signs">The parts; names are unique.</param>
    /// <returns>The parts that hang, each with how long.</returns>
    public IReadOnlyList<(string Part, TimeSpan For)> Judge(IReadOnlyList<VitalSign> signs)
    {
        ArgumentNullException.ThrowIfNull(signs);
        List<(string, TimeSpan)> hanging = [];
        long now = time.GetTimestamp();
        foreach (VitalSign sign in signs)
        {
            if (sign.Idle || !_seen.TryGetValue(sign.Part, out Seen last) || last.Beats != sign.Beats)
            {
                _seen[sign.Part] = new Seen(sign.Beats, now, 0);
                continue;
            }

            _seen[sign.Part] = last with { Looks = last.Looks + 1 };
            TimeSpan since = time.GetElapsedTime(last.At, now);
            if (since > sign.Limit && last.Looks > 0)
            {
                hanging.Add((sign.Part, since));
            }
        }

        return hanging;
    }

    private readonly record struct Seen(long Beats, long At, int Looks);
}
