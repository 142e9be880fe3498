using EgressAppliance.Tests.Documentation;
using YamlDotNet.RepresentationModel;

namespace EgressAppliance.Tests.Monitoring;

/// <summary>The alert rules that come with the appliance, their tests, and the metrics that they are about.</summary>
public sealed class AlertRuleTests
{
    private static readonly string Folder = Path.Combine(TestData.RepositoryRoot, "appliance-image", "prometheus");

    private static readonly YamlMappingNode[] Rules =
        [.. Items(Load("egress-appliance.rules.yml"), "groups").SelectMany(g => Items(g, "rules"))];

    [PromtoolFact]
    public async Task Promtool_takes_the_rules_and_each_fires_when_it_should()
    {
        (int exitCode, string output) = await Promtool.RunAsync(null, "check", "rules", "--lint=all", "--lint-fatal", Path.Combine(Folder, "egress-appliance.rules.yml"));
        Assert.True(exitCode == 0 && output.Contains($"{Rules.Length} rules found", StringComparison.Ordinal), output);

        (exitCode, output) = await Promtool.RunAsync(null, "test", "rules", Path.Combine(Folder, "egress-appliance.tests.yml"));
        Assert.True(exitCode == 0 && output.Contains("SUCCESS", StringComparison.Ordinal), output);
    }

    [Fact]
    public void Each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not()
    {
        YamlMappingNode[] cases = [.. Items(Load("egress-appliance.tests.yml"), "tests").SelectMany(t => Items(t, "alert_rule_test"))];
        ILookup<string, bool> fires = cases.ToLookup(c => Text(c, "alertname"), c => Items(c, "exp_alerts").Any());
        Assert.All(Rules.Select(r => Text(r, "alert")), name => Assert.Equal([false, true], fires[name].Distinct().Order()));
        Assert.Equal(Rules.Length, fires.Count);
    }

    [Fact]
    public void Alerts_use_metrics_and_labels_that_are_written()
    {
        Assert.True(Rules.Length > 25);
        Assert.All(Rules, rule => Assert.Empty(WrittenMetrics.Unknown(Text(rule, "expr"), string.Concat(Annotations(rule).Values))));
    }

    [Fact]
    public void Alerts_say_how_bad_it_is_what_it_means_and_where_the_remedy_stands()
    {
        foreach (YamlMappingNode rule in Rules)
        {
            string name = Text(rule, "alert");
            Assert.Contains(Text((YamlMappingNode)rule["labels"], "severity"), (string[])["critical", "warning"]);
            Dictionary<string, string> annotations = Annotations(rule);
            Assert.Equal(["description", "runbook", "summary"], annotations.Keys.Order());
            Assert.All(annotations, a => Assert.True(a.Value.Length > 10, $"{name}: {a.Key}"));
            string[] runbook = annotations["runbook"].Split('#');
            Assert.Equal("docs/troubleshooting.md", runbook[0]);
            Assert.Contains(runbook[1], MarkdownPage.Read(runbook[0]).Anchors);
        }
    }

    [Fact]
    public void A_name_or_label_that_is_not_written_is_found()
    {
        Assert.Equal(["there is no metric egress_nothing"], WrittenMetrics.Unknown("rate(egress_nothing[5m]) > 0.5e3"));
        Assert.Equal(["egress_link_up has no label peer"], WrittenMetrics.Unknown("egress_link_up{peer=\"a\"} == 0"));
        Assert.Equal(["no series of sum by (peer) (egress_link_up) has a label peer"], WrittenMetrics.Unknown("sum by (peer) (egress_link_up)"));
        Assert.Equal(["the legend of egress_link_up names a label peer"], WrittenMetrics.Unknown("egress_link_up", "{{link}} {{peer}}"));
        Assert.Empty(WrittenMetrics.Unknown("sum by (le) (rate(egress_decision_cycle_seconds_bucket{le=\"1\"}[5m])) and on (instance) up{job=\"x\"} == 1"));
    }

    private static Dictionary<string, string> Annotations(YamlMappingNode rule) =>
        ((YamlMappingNode)rule["annotations"]).Children.ToDictionary(a => ((YamlScalarNode)a.Key).Value!, a => ((YamlScalarNode)a.Value).Value!);

    private static YamlMappingNode Load(string name)
    {
        YamlStream stream = [];
        using StreamReader reader = File.OpenText(Path.Combine(Folder, name));
        stream.Load(reader);
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }

    private static IEnumerable<YamlMappingNode> Items(YamlMappingNode node, string key) => ((YamlSequenceNode)node[key]).Cast<YamlMappingNode>();

    private static string Text(YamlMappingNode node, string key) => ((YamlScalarNode)node[key]).Value!;
}
