using System.Text.Json;
using System.Text.Json.Serialization;
using EgressAppliance.Net;

namespace EgressAppliance.Decision.Json;

/// <summary>Reads and writes a prefix as <c>"192.0.2.0/24"</c>; as a property name too.</summary>
public sealed class IpPrefixConverter : JsonConverter<IpPrefix>
{
    /// <inheritdoc/>
    public override IpPrefix Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String ? Parse(reader.GetString()) : throw new JsonException("a prefix is a string, address/length");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, IpPrefix value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.ToString());
    }

    /// <inheritdoc/>
    public override IpPrefix ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString());

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, IpPrefix value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WritePropertyName(value.ToString());
    }

    private static IpPrefix Parse(string? text) =>
        IpPrefix.TryParse(text, out IpPrefix prefix) ? prefix : throw new JsonException($"'{text}' is not a prefix (address/length, host bits zero)");
}
