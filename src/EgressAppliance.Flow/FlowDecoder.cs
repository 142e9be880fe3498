using EgressAppliance.Net;

namespace EgressAppliance.Flow;

/// <summary>
/// Decodes export datagrams of NetFlow 5, NetFlow 9, IPFIX and sFlow 5. Keeps templates, sampling intervals and sequences of the exporters, all bounded by
/// <see cref="FlowDecoderOptions"/>. Never throws on what a datagram holds. Not thread-safe. Has no clock: the caller gives the time.
/// </summary>
public sealed class FlowDecoder
{
    private readonly Dictionary<SequenceKey, FlowSequence> _sequences = [];
    private readonly FlowDecoderOptions _options;

    /// <summary>A decoder that knows no templates yet.</summary>
    public FlowDecoder(FlowDecoderOptions? options = null)
    {
        _options = options ?? new FlowDecoderOptions();
        Templates = new TemplateCache(_options);
        Samplers = new SamplerCache(_options);
    }

    /// <summary>What was seen so far.</summary>
    public FlowStatistics Statistics { get; } = new();

    /// <summary>The options.</summary>
    internal FlowDecoderOptions Options => _options;

    /// <summary>Templates held.</summary>
    internal TemplateCache Templates { get; }

    /// <summary>Sampling intervals held.</summary>
    internal SamplerCache Samplers { get; }

    /// <summary>Units lost over all sequences, in units of their protocols (see <see cref="FlowSequence.Lost"/>).</summary>
    public long Lost => _sequences.Values.Sum(s => s.Lost);

    /// <summary>Sequences followed.</summary>
    public int Sequences => _sequences.Count;

    /// <summary>Templates held.</summary>
    public int TemplateCount => Templates.Count;

    /// <summary>The protocol of the latest datagram whose version is known, or null.</summary>
    public FlowProtocol? Protocol { get; private set; }

    /// <summary>
    /// What came and what is missing, over all sequences, in units of their protocols. Of sFlow only samples: a datagram that is lost shows in the sequences of its samples.
    /// </summary>
    public (long Received, long Lost) Units
    {
        get
        {
            (long received, long lost) = (0, 0);
            foreach ((SequenceKey key, FlowSequence sequence) in _sequences)
            {
                if (key.Protocol != FlowProtocol.SFlow5 || key.Source is not null)
                {
                    received += sequence.Received;
                    lost += sequence.Lost;
                }
            }

            return (received, lost);
        }
    }

    /// <summary>The sequence of an exporter's domain, or null.</summary>
    /// <param name="protocol">The protocol.</param>
    /// <param name="exporter">The sending address; for sFlow the agent's.</param>
    /// <param name="domain">As in <see cref="FlowRecord.Domain"/>.</param>
    /// <param name="source">For the samples of sFlow the data source (type in the upper 32 bits, index in the lower); null for the datagrams.</param>
    /// <param name="port">The sending port, as given to <see cref="Decode"/>.</param>
    public FlowSequence? Sequence(FlowProtocol protocol, IpAddr exporter, uint domain, ulong? source = null, ushort port = 0) =>
        _sequences.GetValueOrDefault(new(protocol, exporter, domain, source, port));

    /// <summary>Decodes one datagram and adds its flows to <paramref name="records"/>.</summary>
    /// <param name="exporter">Address that sent it.</param>
    /// <param name="datagram">UDP payload.</param>
    /// <param name="nowMilliseconds">The caller's clock; only differences count, and it should not go back.</param>
    /// <param name="records">Receives the flows, those before a refused part included.</param>
    /// <param name="port">
    /// Port that sent it: several exporting processes on one address count each for itself (RFC 7011 section 3.1, the sequence number of a transport session). Templates
    /// are found by address and domain alone, since some exporters change their port.
    /// </param>
    /// <returns><see cref="FlowStatus.Decoded"/>, or the first refusal.</returns>
    public FlowStatus Decode(IpAddr exporter, ReadOnlySpan<byte> datagram, long nowMilliseconds, ICollection<FlowRecord> records, ushort port = 0)
    {
        ArgumentNullException.ThrowIfNull(records);
        var output = new FlowOutput(this, exporter, port, nowMilliseconds, records);
        Statistics.Datagrams++;
        if (datagram.Length < 4)
        {
            output.Refuse(FlowStatus.Truncated);
        }
        else
        {
            // The version of sFlow is a 32-bit number, so its first two octets are 0, which no NetFlow has.
            switch (datagram[0] << 8 | datagram[1])
            {
                case 5:
                    Protocol = FlowProtocol.NetFlow5;
                    NetFlow5Decoder.Decode(datagram, output);
                    break;
                case 9:
                    Protocol = FlowProtocol.NetFlow9;
                    TemplateDecoder.DecodeNetFlow9(datagram, output);
                    break;
                case 10:
                    Protocol = FlowProtocol.Ipfix;
                    TemplateDecoder.DecodeIpfix(datagram, output);
                    break;
                case 0:
                    Protocol = FlowProtocol.SFlow5;
                    SFlow5Decoder.Decode(datagram, output);
                    break;
                default:
                    output.Refuse(FlowStatus.UnsupportedVersion);
                    break;
            }
        }

        if (output.Status == FlowStatus.Decoded)
        {
            Statistics.Add(FlowStatus.Decoded);
        }

        return output.Status;
    }

    /// <summary>Follows a sequence, if there is room for it.</summary>
    internal void Observe(in SequenceKey key, int reorderWindow, uint sequence, uint? units, uint? uptimeMilliseconds)
    {
        if (!_sequences.TryGetValue(key, out FlowSequence? followed))
        {
            if (_sequences.Count >= _options.MaxSequences)
            {
                Statistics.StateRefused++;
                return;
            }

            _sequences.Add(key, followed = new FlowSequence(reorderWindow));
        }

        followed.Observe(sequence, units, uptimeMilliseconds);
    }

    /// <summary>What a sequence belongs to.</summary>
    internal readonly record struct SequenceKey(FlowProtocol Protocol, IpAddr Exporter, uint Domain, ulong? Source, ushort Port);
}
