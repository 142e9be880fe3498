namespace EgressAppliance.Flow;

/// <summary>What a <see cref="FlowDecoder"/> has seen since it was made.</summary>
public sealed class FlowStatistics
{
    private readonly long[] _byStatus = new long[(int)FlowStatus.UnsupportedSample + 1];

    /// <summary>Datagrams given.</summary>
    public long Datagrams { get; internal set; }

    /// <summary>Flow records given out.</summary>
    public long Records { get; internal set; }

    /// <summary>sFlow counter samples, which are skipped.</summary>
    public long CounterSamples { get; internal set; }

    /// <summary>sFlow records beside the packet header (extended router, gateway, switch, …), which are skipped.</summary>
    public long SkippedRecords { get; internal set; }

    /// <summary>Sequences and samplers not kept because the bound was reached.</summary>
    public long StateRefused { get; internal set; }

    /// <summary>
    /// How often <paramref name="status"/> was met. <see cref="FlowStatus.Decoded"/> counts datagrams; the others count the parts refused, so a datagram can
    /// add to several.
    /// </summary>
    public long Count(FlowStatus status) => _byStatus[(int)status];

    internal void Add(FlowStatus status) => _byStatus[(int)status]++;
}
