using System.Text.Encodings.Web;
using System.Text.Json;

namespace EgressAppliance.Host.Replay;

/// <summary>Writes a <see cref="ReplayResult"/> as the one object that <c>replay --output json</c> prints.</summary>
public static class ReplayJson
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one object on one line, and a line feed.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="result">The counts.</param>
    /// <param name="summary">Leave <c>prefixes</c> out.</param>
    public static void Write(Stream output, ReplayResult result, bool summary)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(result);
        using (Utf8JsonWriter json = new(output, WriterOptions))
        {
            json.WriteStartObject();
            if (result.File is not null)
            {
                json.WriteString("file", result.File);
            }

            json.WriteNumber("frames", result.Statistics.Frames);
            json.WriteNumber("packets", result.Statistics.Packets);
            json.WriteNumber("ip_bytes", result.Statistics.IpBytes);
            json.WriteNumber("non_ip", result.Statistics.NonIp);
            json.WriteStartObject("undecodable");
            foreach ((string reason, long count) in result.Statistics.Undecodable)
            {
                json.WriteNumber(reason, count);
            }

            json.WriteEndObject();
            json.WriteStartObject("unrouted");
            json.WriteNumber("packets", result.Statistics.UnroutedPackets);
            json.WriteNumber("ip_bytes", result.Statistics.UnroutedIpBytes);
            json.WriteEndObject();
            if (!summary)
            {
                WritePrefixes(json, result.Prefixes);
            }

            if (result.Problems.Count > 0)
            {
                json.WriteStartArray("problems");
                foreach (string problem in result.Problems)
                {
                    json.WriteStringValue(problem);
                }

                json.WriteEndArray();
            }

            json.WriteNumber("elapsed_seconds", Math.Round(result.Elapsed.TotalSeconds, 6));
            json.WriteNumber("cpu_seconds", Math.Round(result.Cpu.TotalSeconds, 6));
            json.WriteNumber("packets_per_second", Math.Round(result.PacketsPerSecond));
            json.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
    }

    private static void WritePrefixes(Utf8JsonWriter json, IReadOnlyList<ReplayPrefix> prefixes)
    {
        json.WriteStartArray("prefixes");
        foreach (ReplayPrefix prefix in prefixes)
        {
            json.WriteStartObject();
            json.WriteString("prefix", prefix.Prefix.ToString());
            json.WriteString("link", prefix.Link);
            json.WriteNumber("packets", prefix.Packets);
            json.WriteNumber("ip_bytes", prefix.IpBytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
