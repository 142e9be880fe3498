using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Text;

/// <summary>
/// One BMP message as one JSON object: its type by the name in RFC 7854, the fields of the per-peer header in <c>peer</c>, the BGP messages inside in the
/// shape of <see cref="MessageJson"/>, and what is wrong with it in <c>error{kind, action, text}</c>. Errors of a BGP message are told inside that.
/// </summary>
public static class BmpJson
{
    /// <summary>
    /// The object for one whole message on its own, as text in one line. Without the Peer Up of its peer an UPDATE is read without path identifiers;
    /// <see cref="BmpTextDecoder"/> reads a stream of messages in order.
    /// </summary>
    public static string ToJson(ReadOnlySpan<byte> message) => new BmpTextDecoder().ToJson(message);
}

/// <summary>Turns the messages of one router into JSON, in order: each Peer Up says how the UPDATEs of that peer are to be read.</summary>
public sealed class BmpTextDecoder
{
    private const int MaxPeers = 100_000;
    private readonly Dictionary<BmpPeerId, BmpPeerCodec> _codecs = [];

    /// <summary>The object for the next whole message, as text in one line.</summary>
    public string ToJson(ReadOnlySpan<byte> message)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            Write(message, json);
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>Writes the object for the next whole message. Octets missing or left over are an error.</summary>
    public void Write(ReadOnlySpan<byte> message, Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(json);
        json.WriteStartObject();
        bool told = BmpFramer.TryReadHeader(message, int.MaxValue, out BmpMessageType type, out int length, out BmpError? error);
        if (message.Length >= BmpConstants.HeaderLength && error?.Kind != BmpErrorKind.Version)
        {
            json.WriteString("type", BmpNames.Of(type));
        }

        if (error is null && (!told || length != message.Length))
        {
            error = new(BmpErrorKind.Length, length == 0 ? "the common header is truncated" : $"the header says {length} octets, {message.Length} are there");
        }

        error ??= WriteBody(type, message[BmpConstants.HeaderLength..], json);
        if (error is not null)
        {
            json.WriteStartObject("error");
            json.WriteString("kind", KindName(error.Kind));
            json.WriteString("action", error.EndsConnection ? "connection-close" : "message-ignore");
            json.WriteString("text", error.Text);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static string KindName(BmpErrorKind kind) => kind switch
    {
        BmpErrorKind.Version => "version",
        BmpErrorKind.Length => "length",
        BmpErrorKind.MessageType => "message-type",
        BmpErrorKind.Truncated => "truncated",
        BmpErrorKind.Excess => "excess",
        BmpErrorKind.PeerType => "peer-type",
        BmpErrorKind.Tlv => "tlv",
        BmpErrorKind.BgpHeader => "bgp-header",
        BmpErrorKind.Open => "open",
        _ => "update",
    };

    private BmpError? WriteBody(BmpMessageType type, ReadOnlySpan<byte> body, Utf8JsonWriter json)
    {
        switch (type)
        {
            case BmpMessageType.Initiation:
                BmpError? initiationError = BmpInitiation.Decode(body, out BmpInitiation? initiation);
                WriteTlvs(json, initiation?.Tlvs, InitiationTlv);
                return initiationError;
            case BmpMessageType.Termination:
                BmpError? terminationError = BmpTermination.Decode(body, out BmpTermination? termination);
                if (termination?.Reason is { } reason)
                {
                    json.WriteNumber("reason", (ushort)reason);
                    json.WriteString("reason_name", BmpNames.Of(reason));
                }

                WriteTlvs(json, termination?.Tlvs, static t => t == BmpTlv.FreeText ? "string" : t == BmpTlv.TerminationReason ? "reason" : null);
                return terminationError;
            case > BmpMessageType.RouteMirroring:
                return new(BmpErrorKind.MessageType, $"message type {(byte)type} is not defined");
        }

        var reader = new BgpReader(body);
        if (BmpPeerHeader.Read(ref reader, out BmpPeerHeader header) is { } headerError)
        {
            return headerError;
        }

        WriteHeader(json, header, type);
        return type switch
        {
            BmpMessageType.RouteMonitoring => WriteUpdate(json, header, reader.Rest),
            BmpMessageType.PeerUp => WritePeerUp(json, header, reader.Rest),
            BmpMessageType.PeerDown => WritePeerDown(json, header, reader.Rest),
            BmpMessageType.StatisticsReport => WriteStatistics(json, reader.Rest),
            _ => WriteMirroring(json, header, reader.Rest),
        };
    }

    private BmpPeerCodec CodecOf(in BmpPeerHeader header) => _codecs.GetValueOrDefault(header.Id, BmpPeerCodec.Unknown);

    private BmpError? WriteUpdate(Utf8JsonWriter json, in BmpPeerHeader header, ReadOnlySpan<byte> message)
    {
        if (BmpMonitor.ReadUpdateHeader(message, out ReadOnlySpan<byte> update) is { } error)
        {
            return error;
        }

        json.WritePropertyName("update");
        MessageJson.Write(message, CodecOf(header).OptionsFor(header, update, out _), json);
        return null;
    }

    private BmpError? WritePeerUp(Utf8JsonWriter json, in BmpPeerHeader header, ReadOnlySpan<byte> body)
    {
        BmpError? error = BmpPeerUp.Decode(header, body, out BmpPeerUp? up);
        if (up is null)
        {
            _codecs.Remove(header.Id);
            return error;
        }

        if (_codecs.Count < MaxPeers || _codecs.ContainsKey(header.Id))
        {
            _codecs[header.Id] = BmpPeerCodec.From(up);
        }

        json.WriteString("local_address", up.LocalAddress.ToString());
        json.WriteNumber("local_port", up.LocalPort);
        json.WriteNumber("remote_port", up.RemotePort);
        ReadOnlySpan<byte> opens = body[20..];
        int sent = BinaryPrimitives.ReadUInt16BigEndian(opens[16..]);
        json.WritePropertyName("sent_open");
        MessageJson.Write(opens[..sent], default, json);
        json.WritePropertyName("received_open");
        MessageJson.Write(body[(20 + sent)..up.SessionLength], default, json);
        WriteTlvs(json, up.Tlvs, static t => t switch
        {
            BmpTlv.FreeText => "string",
            BmpTlv.TableName => "table_name",
            BmpTlv.AdminLabel => "admin_label",
            _ => InitiationTlv(t),
        });
        return null;
    }

    private BmpError? WritePeerDown(Utf8JsonWriter json, in BmpPeerHeader header, ReadOnlySpan<byte> body)
    {
        _codecs.Remove(header.Id);
        BmpError? error = BmpPeerDown.Decode(body, out BmpPeerDown? down);
        if (down is null)
        {
            return error;
        }

        json.WriteNumber("reason", (byte)down.Reason);
        json.WriteString("reason_name", BmpNames.Of(down.Reason));
        if (down.Notification is not null)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(body[17..]);
            json.WritePropertyName("notification");
            MessageJson.Write(body.Slice(1, length), default, json);
        }

        if (down.FsmEvent is { } fsmEvent)
        {
            json.WriteNumber("fsm_event", fsmEvent);
        }

        WriteTlvs(json, down.Tlvs, static t => t == BmpTlv.TableName ? "table_name" : null);
        return null;
    }

    private static BmpError? WriteStatistics(Utf8JsonWriter json, ReadOnlySpan<byte> body)
    {
        BmpError? error = BmpStatistics.Decode(body, out BmpStatistics? statistics);
        if (statistics is null)
        {
            return error;
        }

        json.WriteStartArray("statistics");
        foreach (BmpStatistic item in statistics.Items)
        {
            json.WriteStartObject();
            json.WriteNumber("type", item.Type);
            json.WriteString("name", item.Name);
            if (item.Family is { } family)
            {
                json.WriteNumber("afi", family.Afi);
                json.WriteNumber("safi", family.Safi);
            }

            if (item.Value is { } value)
            {
                json.WriteNumber("value", value);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        return null;
    }

    private BmpError? WriteMirroring(Utf8JsonWriter json, in BmpPeerHeader header, ReadOnlySpan<byte> body)
    {
        BmpError? error = BmpRouteMirroring.Decode(body, out BmpRouteMirroring? mirroring);
        if (mirroring is null)
        {
            return error;
        }

        json.WriteStartArray("mirrored");
        foreach (BmpTlv tlv in mirroring.Tlvs)
        {
            if (tlv.Type == BmpTlv.MirroredMessage)
            {
                MessageJson.Write(tlv.Value.Span, CodecOf(header).OptionsFor(header), json);
                continue;
            }

            json.WriteStartObject();
            json.WriteNumber("tlv", tlv.Type);
            if (tlv.Type == BmpTlv.MirroringInformation)
            {
                ushort code = BinaryPrimitives.ReadUInt16BigEndian(tlv.Value.Span);
                json.WriteNumber("information", code);
                json.WriteString("name", code switch { 0 => "malformed message", 1 => "messages lost", _ => $"code {code}" });
            }
            else
            {
                json.WriteString("value", Convert.ToHexStringLower(tlv.Value.Span));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        return null;
    }

    private static void WriteHeader(Utf8JsonWriter json, in BmpPeerHeader header, BmpMessageType type)
    {
        json.WriteStartObject("peer");
        json.WriteString("type", BmpNames.Of(header.Id.Type));
        json.WriteNumber("flags", header.Flags);
        json.WriteString("distinguisher", BmpPeerId.FormatDistinguisher(header.Id.Distinguisher));
        json.WriteString("address", header.Id.Address.ToString());
        json.WriteNumber("as", header.As);
        json.WriteString("bgp_id", IpAddr.FromIPv4(header.BgpId).ToString());
        json.WriteNumber("timestamp", header.TimestampSeconds + (header.TimestampMicroseconds / 1_000_000m));
        if (type is BmpMessageType.RouteMonitoring or BmpMessageType.RouteMirroring)
        {
            json.WriteString("table", BmpNames.Of(header.Table));
        }

        json.WriteEndObject();
    }

    private static string? InitiationTlv(ushort type) => type switch
    {
        BmpTlv.FreeText => "string",
        BmpTlv.SysDescr => "sys_descr",
        BmpTlv.SysName => "sys_name",
        _ => null,
    };

    /// <summary>Known TLVs hold text; the value of unknown ones is written in hexadecimal.</summary>
    private static void WriteTlvs(Utf8JsonWriter json, IReadOnlyList<BmpTlv>? tlvs, Func<ushort, string?> name)
    {
        if (tlvs is not { Count: > 0 })
        {
            return;
        }

        json.WriteStartArray("information");
        foreach (BmpTlv tlv in tlvs)
        {
            json.WriteStartObject();
            json.WriteNumber("tlv", tlv.Type);
            string? known = name(tlv.Type);
            if (known is not null)
            {
                json.WriteString("name", known);
            }

            if (known is null or "reason")
            {
                json.WriteString("value", Convert.ToHexStringLower(tlv.Value.Span));
            }
            else
            {
                json.WriteString("text", tlv.Text);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
