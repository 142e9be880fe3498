namespace EgressAppliance.Snmp;

/// <summary>
/// A client's notion of an agent's snmpEngineBoots and snmpEngineTime (RFC 3414 section 2.3). It only ever goes forward, and only messages
/// that were found authentic may be shown to it.
/// </summary>
internal sealed class EngineClock(TimeProvider time)
{
    /// <summary>snmpEngineBoots of an engine that cannot count on: nothing of it is in the time window (RFC 3414 section 2.2.3).</summary>
    public const int LastBoots = int.MaxValue;

    private const int WindowSeconds = 150;

    private int _time;
    private int _latest;
    private long _taken;

    /// <summary>False before the first authentic message; a request then goes out with zeros (RFC 3414 section 4).</summary>
    public bool IsKnown { get; private set; }

    /// <summary>snmpEngineBoots; 0 while unknown.</summary>
    public int Boots { get; private set; }

    /// <summary>snmpEngineTime by now; 0 while unknown.</summary>
    public int Time => IsKnown ? (int)Math.Min(int.MaxValue, _time + (long)time.GetElapsedTime(_taken).TotalSeconds) : 0;

    /// <summary>Takes boots and time of an authentic message. False if it is outside of the time window (RFC 3414 section 3.2 step 7b).</summary>
    public bool Take(int boots, int seconds)
    {
        if (!IsKnown || boots > Boots || (boots == Boots && seconds > _latest))
        {
            IsKnown = true;
            Boots = boots;
            _time = _latest = seconds;
            _taken = time.GetTimestamp();
        }

        return Boots != LastBoots && boots == Boots && seconds >= (long)Time - WindowSeconds;
    }
}
