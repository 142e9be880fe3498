using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using EgressAppliance.Bgp.Mrt;
using EgressAppliance.Bgp.Speaker;

namespace EgressAppliance.Bgp.Text;

/// <summary>
/// One MRT record as one JSON object: time, type and subtype, then what the record is about. A message has the shape of <see cref="MessageJson"/>, and so have a
/// path's attributes and errors.
/// </summary>
public static class MrtJson
{
    /// <summary>The object for one record, as text in one line.</summary>
    public static string ToJson(MrtRecord record)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            Write(record, json);
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>Writes the object for one record.</summary>
    public static void Write(MrtRecord record, Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(json);
        json.WriteStartObject();
        json.WriteString("time", Time(record.Time));
        json.WriteString("type", record.TypeName);
        json.WriteString("subtype", record.SubtypeName);
        switch (record)
        {
            case MrtMessage message:
                WritePeer(json, "peer", message.Peer);
                WritePeer(json, "local", message.Local);
                json.WriteNumber("interface", message.InterfaceIndex);
                if (message.FromCollector)
                {
                    json.WriteBoolean("from_collector", true);
                }

                json.WritePropertyName("message");
                MessageJson.Write(message.Message.Span, message.Codec, json);
                break;
            case MrtStateChange change:
                WritePeer(json, "peer", change.Peer);
                if (!change.Local.Address.IsDefault)
                {
                    WritePeer(json, "local", change.Local);
                }

                json.WriteNumber("interface", change.InterfaceIndex);
                json.WriteString("old_state", State(change.Old));
                json.WriteString("new_state", State(change.New));
                break;
            case MrtPeerIndex index:
                WriteIndex(json, index);
                break;
            case MrtRib rib:
                WriteRib(json, rib);
                break;
            case MrtOther other:
                json.WriteNumber("skipped_octets", other.Length);
                break;
            case MrtMalformed malformed:
                WriteProblem(json, malformed.Problem);
                break;
            default:
                throw new ArgumentException($"A record of an unknown kind: {record.GetType().Name}.", nameof(record));
        }

        json.WriteEndObject();
    }

    private static void WriteIndex(Utf8JsonWriter json, MrtPeerIndex index)
    {
        json.WriteString("collector", MessageJson.Quad(index.CollectorId));
        json.WriteString("view", index.ViewName);
        json.WriteStartArray("peers");
        foreach (MrtPeer peer in index.Peers)
        {
            json.WriteStartObject();
            WriteFields(json, peer);
            json.WriteString("router_id", MessageJson.Quad(peer.RouterId));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRib(Utf8JsonWriter json, MrtRib rib)
    {
        json.WriteNumber("sequence", rib.Sequence);
        json.WriteString("prefix", rib.Prefix.ToString());
        json.WriteStartArray("paths");
        foreach (MrtRibPath path in rib.Paths)
        {
            json.WriteStartObject();
            if (path.Peer is { } peer)
            {
                WritePeer(json, "peer", peer);
            }
            else
            {
                json.WriteNumber("unknown_peer", path.PeerIndex);
            }

            if (rib.AddPath)
            {
                json.WriteNumber("path_id", path.PathId);
            }

            json.WriteString("originated", Time(path.Originated));
            if (path.Attributes is { } attributes)
            {
                json.WriteStartObject("attributes");
                MessageJson.WriteAttributes(json, attributes);
                json.WriteEndObject();
            }

            if (path.Error is { } error)
            {
                MessageJson.WriteError(json, error);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (rib.CutOff)
        {
            WriteProblem(json, "the record is shorter than its fields");
        }
    }

    private static void WriteProblem(Utf8JsonWriter json, string problem)
    {
        json.WriteStartObject("error");
        json.WriteString("text", problem);
        json.WriteEndObject();
    }

    private static void WritePeer(Utf8JsonWriter json, string name, MrtPeer peer)
    {
        json.WriteStartObject(name);
        WriteFields(json, peer);
        json.WriteEndObject();
    }

    private static void WriteFields(Utf8JsonWriter json, MrtPeer peer)
    {
        json.WriteString("address", peer.Address.ToString());
        json.WriteNumber("as", peer.As);
    }

    // The numbers of RFC 6396 section 4.4.1 are those of the enumeration and one more.
    private static string State(ushort number) => number is >= 1 and <= 6
        ? ((SessionState)(number - 1)).ToString()
        : number.ToString(CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset time) =>
        time.ToString(time.Microsecond + time.Millisecond == 0 ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
