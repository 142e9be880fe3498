using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using EgressAppliance.Host.Config;
using EgressAppliance.Host.Http;
using EgressAppliance.Tests.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgressAppliance.Tests.Http;

/// <summary>docs/openapi.v1.json is what the endpoint describes itself as; <c>UPDATE_GOLDEN=1</c> rewrites it.</summary>
public sealed class OpenApiTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task Description_is_that_of_the_repository()
    {
        JsonNode description = JsonNode.Parse(await DescribeAsync(c => c.GetStringAsync("/openapi/v1.json")))!;
        Golden.Compare(Path.Combine(TestData.RepositoryRoot, "docs", "openapi.v1.json"), description.ToJsonString(Indented) + "\n");
    }

    [Fact]
    public async Task Every_answer_has_the_fields_that_its_schema_names()
    {
        await DescribeAsync(async client =>
        {
            using JsonDocument api = JsonDocument.Parse(await client.GetStringAsync("/openapi/v1.json"));
            JsonElement schemas = api.RootElement.GetProperty("components").GetProperty("schemas");
            int compared = 0;
            foreach (JsonProperty path in api.RootElement.GetProperty("paths").EnumerateObject())
            {
                if (!path.Value.TryGetProperty("get", out JsonElement get) || !get.GetProperty("responses").GetProperty("200").TryGetProperty("content", out JsonElement content)
                    || !content.TryGetProperty("application/json", out JsonElement json))
                {
                    continue;
                }

                using HttpResponseMessage response = await client.GetAsync(path.Name + "?prefix=192.0.2.1");
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
                    Compare(path.Name, json.GetProperty("schema"), answer.RootElement, schemas);
                    compared++;
                }
            }

            Assert.True(compared >= 10, $"only {compared} answers were compared");
            return "";
        });
    }

    private static void Compare(string place, JsonElement schema, JsonElement value, JsonElement schemas)
    {
        if (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            schema = schemas.GetProperty(reference.GetString()!["#/components/schemas/".Length..]);
        }

        if (value.ValueKind == JsonValueKind.Array && schema.TryGetProperty("items", out JsonElement items))
        {
            foreach (JsonElement item in value.EnumerateArray())
            {
                Compare(place + "[]", items, item, schemas);
            }
        }
        else if (value.ValueKind == JsonValueKind.Object && schema.TryGetProperty("properties", out JsonElement properties))
        {
            Assert.Equal(
                (place, string.Join(' ', properties.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal))),
                (place, string.Join(' ', value.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal))));
            foreach (JsonProperty member in value.EnumerateObject())
            {
                Compare(place + "." + member.Name, properties.GetProperty(member.Name), member.Value, schemas);
            }
        }
    }

    private static async Task<string> DescribeAsync(Func<HttpClient, Task<string>> ask)
    {
        HttpConfig config = new() { Listen = new IPEndPoint(IPAddress.Loopback, 0), Socket = "" };
        await using AuditLog audit = FakeAppliance.AuditInMemory();
        await using ApiServer server = await ApiServer.StartAsync(config, new FakeAppliance(), audit, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        using HttpClient client = new() { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}") };
        return await ask(client);
    }
}
