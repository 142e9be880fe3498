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

    /// <summary>The sequence of an exporter's domain, or null.</summary>
    /// <param name="protocol">The protocol.</param>
    /// <param name="exporter">The sending address; for sFlow the agent's.</param>
    /// <param name="domain">As in <see cref="FlowRecord.Domain"/>.</param>
    /// <param name="source">For the samples of sFlow the data source (type in the upper 32 bits, index in the lower); null for the datagrams.</param>
    public FlowSequence? Sequence(FlowProtocol protocol, IpAddr exporter, uint domain, ulong? source = null) =>
        _sequences.GetValueOrDefault(new(protocol, exporter, domain, source));

    /// <summary>Decodes one datagram and adds its flows to <paramref name="records"/>.</summary>
    /// <param name="exporter">Address that sent it.</param>
    /// <param name="datagram">UDP payload.</param>
    /// <param name="nowMilliseconds">The caller's clock; only differences count, and it should not go back.</param>
    /// <param name="records">Receives the flows, those before a refused part included.</param>
    /// <returns><see cref="FlowStatus.Decoded"/>, or the first refusal.</returns>
    public FlowStatus Decode(IpAddr exporter, ReadOnlySpan<byte> datagram, long nowMilliseconds, ICollection<FlowRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        var output = new FlowOutput(this, exporter, nowMilliseconds, records);
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
                    NetFlow5Decoder.Decode(datagram, output);
                    break;
                case 9:
                    TemplateDecoder.DecodeNetFlow9(datagram, output);
                    break;
                case 10:
                    TemplateDecoder.DecodeIpfix(datagram, output);
                    break;
                case 0:
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
    internal readonly record struct SequenceKey(FlowProtocol Protocol, IpAddr Exporter, uint Domain, ulong? Source);
}
