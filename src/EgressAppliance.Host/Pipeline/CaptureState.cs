using EgressAppliance.Capture;

namespace EgressAppliance.Host.Pipeline;

/// <summary>The states of a source, as the API names them.</summary>
public static class CaptureState
{
    /// <summary>Frames come.</summary>
    public const string Receiving = "receiving";

    /// <summary>It could receive; no frame came in the last interval.</summary>
    public const string Silent = "silent";

    /// <summary>The interface is up without a carrier, and no frame came.</summary>
    public const string NoCarrier = "no_carrier";

    /// <summary>The interface is down.</summary>
    public const string InterfaceDown = "interface_down";

    /// <summary>There is no such interface.</summary>
    public const string Absent = "absent";

    /// <summary>It delivers nothing for another reason, which its message tells.</summary>
    public const string Unavailable = "unavailable";

    /// <summary>The state of a source.</summary>
    /// <param name="source">Its counters and message.</param>
    /// <param name="gain">What it gained over the last interval.</param>
    /// <param name="nic">Its interface, of live sources.</param>
    /// <param name="anyTime">An interval has passed: before that, no frame means nothing.</param>
    public static string Of(in SourceStatistics source, in SourceCounts gain, InterfaceReading? nic, bool anyTime)
    {
        if (source.Message is not null && nic is { Exists: false })
        {
            return Absent;
        }

        if (source.Message is not null && nic is { Up: false })
        {
            return InterfaceDown;
        }

        // A message beside frames is a remark, such as that a thread could not be pinned.
        return gain.Frames > 0 ? Receiving
            : source.Message is not null ? Unavailable
            : nic is { Exists: true, Carrier: false } ? NoCarrier
            : anyTime || source.ReceivedFrames == 0 ? Silent : Receiving;
    }
}
