using EgressAppliance.Net;

namespace EgressAppliance.Flow;

/// <summary>Where the decoders of the formats put what they find in one datagram.</summary>
internal sealed class FlowOutput(FlowDecoder decoder, IpAddr exporter, ushort port, long now, ICollection<FlowRecord> records)
{
    public FlowDecoder Decoder => decoder;

    public FlowStatistics Statistics => decoder.Statistics;

    public IpAddr Exporter => exporter;

    public ushort Port => port;

    public long Now => now;

    /// <summary>The first refusal.</summary>
    public FlowStatus Status { get; private set; }

    /// <summary>Something was refused whose records could not be counted.</summary>
    public bool HasUnreadParts { get; private set; }

    public void Refuse(FlowStatus status)
    {
        decoder.Statistics.Add(status);
        HasUnreadParts |= status != FlowStatus.NoDestination;
        Status = Status == FlowStatus.Decoded ? status : Status;
    }

    public void Add(in FlowRecord record)
    {
        decoder.Statistics.Records++;
        records.Add(record);
    }
}
