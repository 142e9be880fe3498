using System.Text.Json;

namespace EgressAppliance.Tests.Monitoring;

/// <summary>The Grafana dashboards: what every panel asks for exists, and is told in words and with its unit.</summary>
public sealed class DashboardTests
{
    private const int GridWidth = 24;
    private static readonly string Folder = Path.Combine(TestData.RepositoryRoot, "appliance-image", "grafana");
    private static readonly string[] Asking = ["timeseries", "stat", "bargauge", "state-timeline"];

    private static readonly string[] Names = [.. Directory.GetFiles(Folder, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    public static TheoryData<string> Dashboards => new(Names);

    [Fact]
    public void There_is_a_dashboard_for_each_part() =>
        Assert.Equal(["egress-bgp", "egress-capture", "egress-decisions", "egress-links", "egress-overview"], Names);

    [Theory]
    [MemberData(nameof(Dashboards))]
    public void Panels_ask_for_metrics_and_labels_that_are_written(string name)
    {
        (string Expression, string? Legend)[] all = [.. Expressions(name)];
        Assert.True(all.Length > 8);
        Assert.All(all, e => Assert.Empty(WrittenMetrics.Unknown(Filled(e.Expression), e.Legend)));
    }

    [PromtoolFact]
    public async Task Expressions_are_valid()
    {
        string file = Path.GetTempFileName();
        try
        {
            string[] rules = [.. Names.SelectMany(Expressions).Select((e, i) => $"      - {{ record: 'egress:{i}', expr: {JsonSerializer.Serialize(Filled(e.Expression))} }}")];
            await File.WriteAllTextAsync(file, "groups:\n  - name: panels\n    rules:\n" + string.Join('\n', rules) + "\n");
            (int exitCode, string output) = await Promtool.RunAsync(null, "check", "rules", "--lint=none", file);
            Assert.True(exitCode == 0 && output.Contains($"{rules.Length} rules found", StringComparison.Ordinal), output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [MemberData(nameof(Dashboards))]
    public void Panels_say_what_they_show_and_do_not_overlap(string name)
    {
        using JsonDocument board = Read(name);
        Assert.Equal(name, board.RootElement.GetProperty("uid").GetString());
        HashSet<int> ids = [];
        HashSet<(int X, int Y)> taken = [];
        foreach (JsonElement panel in board.RootElement.GetProperty("panels").EnumerateArray())
        {
            string title = panel.GetProperty("title").GetString()!;
            Assert.True(ids.Add(panel.GetProperty("id").GetInt32()), title);
            JsonElement grid = panel.GetProperty("gridPos");
            (int left, int top, int width, int height) = (Number(grid, "x"), Number(grid, "y"), Number(grid, "w"), Number(grid, "h"));
            Assert.True(left + width <= GridWidth, title);
            Assert.All(
                Enumerable.Range(left, width).SelectMany(x => Enumerable.Range(top, height).Select(y => (x, y))), cell => Assert.True(taken.Add(cell), $"{title} overlaps at {cell}"));
            string type = panel.GetProperty("type").GetString()!;
            if (type is "row" or "alertlist")
            {
                continue;
            }

            Assert.Contains(type, Asking);
            Assert.True(panel.GetProperty("description").GetString()!.Length > 5, title);
            JsonElement defaults = panel.GetProperty("fieldConfig").GetProperty("defaults");
            Assert.NotEqual("", defaults.GetProperty("unit").GetString());
            Assert.NotEmpty(defaults.GetProperty("thresholds").GetProperty("steps").EnumerateArray());
            Assert.Equal("${datasource}", panel.GetProperty("datasource").GetProperty("uid").GetString());
        }
    }

    [Fact]
    public void Provisioning_names_the_folder_that_its_comment_tells_to_copy_to()
    {
        string text = File.ReadAllText(Path.Combine(Folder, "provisioning.yml"));
        Assert.Contains("      path: /var/lib/grafana/dashboards/egress-appliance\n", text, StringComparison.Ordinal);
        Assert.Contains("# /var/lib/grafana/dashboards/egress-appliance/.", text, StringComparison.Ordinal);
    }

    private static int Number(JsonElement element, string name) => element.GetProperty(name).GetInt32();

    /// <summary>Expressions of panels, annotations and variables.</summary>
    private static List<(string Expression, string? Legend)> Expressions(string name)
    {
        using JsonDocument board = Read(name);
        JsonElement root = board.RootElement;
        List<(string, string?)> all = [];
        foreach (JsonElement target in root.GetProperty("panels").EnumerateArray().Where(p => p.TryGetProperty("targets", out _)).SelectMany(p => p.GetProperty("targets").EnumerateArray()))
        {
            all.Add((target.GetProperty("expr").GetString()!, target.GetProperty("legendFormat").GetString()));
        }

        foreach (JsonElement annotation in root.GetProperty("annotations").GetProperty("list").EnumerateArray())
        {
            all.Add((annotation.GetProperty("expr").GetString()!, annotation.GetProperty("titleFormat").GetString()));
        }

        foreach (JsonElement variable in root.GetProperty("templating").GetProperty("list").EnumerateArray().Where(v => v.GetProperty("type").GetString() == "query"))
        {
            // label_values(SELECTOR, LABEL)
            string[] parts = variable.GetProperty("definition").GetString()!["label_values(".Length..^1].Split(", ");
            all.Add((string.Join(", ", parts[..^1]), "{{" + parts[^1] + "}}"));
        }

        return all;
    }

    private static string Filled(string expression) =>
        expression.Replace("$instance", "fra1:8080", StringComparison.Ordinal).Replace("$link", "isp-a", StringComparison.Ordinal);

    private static JsonDocument Read(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json")));
}
