using System.Diagnostics.CodeAnalysis;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace EgressAppliance.Host.Config;

/// <summary>A YAML node with its place in the file.</summary>
/// <param name="At">Where it starts.</param>
public abstract record YamlNode(ConfigPosition At);

/// <summary>A scalar as written.</summary>
/// <param name="At">Where it starts.</param>
/// <param name="Text">Its text, quotes and escapes resolved.</param>
/// <param name="Plain">True if it stood without quotes.</param>
public sealed record YamlScalar(ConfigPosition At, string Text, bool Plain) : YamlNode(At)
{
    /// <summary>True for no value at all: nothing after the colon, <c>~</c> or <c>null</c>.</summary>
    public bool IsNull => Plain && Text is "" or "~" or "null";
}

/// <summary>Something that is not allowed, and was reported.</summary>
/// <param name="At">Where it starts.</param>
public sealed record YamlRefused(ConfigPosition At) : YamlNode(At);

/// <summary>A list.</summary>
/// <param name="At">Where it starts.</param>
/// <param name="Items">Its items.</param>
public sealed record YamlSequence(ConfigPosition At, IReadOnlyList<YamlNode> Items) : YamlNode(At);

/// <summary>A mapping; keys that occur twice are still both in it.</summary>
/// <param name="At">Where it starts.</param>
/// <param name="Entries">Entries in the order of the file.</param>
public sealed record YamlMapping(ConfigPosition At, IReadOnlyList<YamlEntry> Entries) : YamlNode(At);

/// <summary>One entry of a mapping.</summary>
/// <param name="Key">The key.</param>
/// <param name="KeyAt">Where the key stands.</param>
/// <param name="Value">The value.</param>
public sealed record YamlEntry(string Key, ConfigPosition KeyAt, YamlNode Value);

/// <summary>
/// Reads YAML into a tree that keeps positions and repeated keys, both of which an object mapper would lose. Anchors, aliases and
/// tags are refused: no key needs them, and without them the tree is never larger than the file.
/// </summary>
public sealed class ConfigYaml
{
    // Deeper than any key lies; bounds the recursion for hostile input.
    private const int MaxDepth = 32;

    private readonly Parser _parser;
    private readonly ConfigDiagnostics _diagnostics;

    private ConfigYaml(Parser parser, ConfigDiagnostics diagnostics)
    {
        _parser = parser;
        _diagnostics = diagnostics;
    }

    /// <summary>Reads the one document of <paramref name="text"/>; null when it is empty or not YAML (errors were added in the latter case).</summary>
    public static YamlNode? Read(string text, ConfigDiagnostics diagnostics)
    {
        ArgumentNullException.ThrowIfNull(diagnostics);
        Parser parser = new(new StringReader(text));
        try
        {
            return new ConfigYaml(parser, diagnostics).ReadDocument();
        }
        catch (InvalidOperationException)
        {
            // The parser's scanner throws this, without a place, for some plain scalars in brackets that start with a colon or a dash.
            diagnostics.Error(
                parser.Current is { } last ? At(last.End) : ConfigPosition.Start,
                "not valid YAML here or just after", "check the brackets, and quote values that start with punctuation");
            return null;
        }
        catch (YamlException e)
        {
            ConfigPosition at = At(e.Start);

            // From the line above on: what is wrong shows only when the next line does not fit.
            int first = Math.Max(0, at.Line - 2);
            string[] lines = [.. text.Split('\n').Skip(first).Take(At(e.End).Line - first)];
            diagnostics.Error(at, "not valid YAML: " + e.Message.TrimEnd('.'), LikelyMistake.RemedyOfSyntax(lines, e.Message));
            return null;
        }
    }

    private static ConfigPosition At(in Mark mark) => new((int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));

    private YamlNode? ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (_parser.TryConsume<StreamEnd>(out _))
        {
            return null;
        }

        _parser.Consume<DocumentStart>();
        YamlNode root = ReadNode(0);
        _parser.Consume<DocumentEnd>();
        if (TryTake(out DocumentStart? second))
        {
            _diagnostics.Error(At(second.Start), "a second YAML document starts here", "keep the whole configuration in one document and remove the '---'");
        }

        return root;
    }

    private bool TryTake<T>([NotNullWhen(true)] out T? taken)
        where T : ParsingEvent
    {
        taken = _parser.Accept<T>(out _) ? _parser.Consume<T>() : null;
        return taken is not null;
    }

    private YamlNode ReadNode(int depth)
    {
        if (TryTake(out AnchorAlias? alias))
        {
            _diagnostics.Error(At(alias.Start), $"the YAML alias '*{alias.Value}' is not supported", "write the value out");
            return new YamlRefused(At(alias.Start));
        }

        _parser.Accept<NodeEvent>(out _);
        if (_parser.Current is not NodeEvent node)
        {
            throw new YamlException("a value is missing");
        }

        ConfigPosition at = At(node.Start);
        RefuseAnchorAndTag(node, at);
        if (depth > MaxDepth)
        {
            // Reading on would only cost time, and that grows with the square of the depth.
            throw new YamlException(node.Start, node.End, $"nested more than {MaxDepth} levels deep");
        }

        if (TryTake(out Scalar? scalar))
        {
            return new YamlScalar(at, scalar.Value, scalar.Style == ScalarStyle.Plain);
        }

        if (_parser.TryConsume<SequenceStart>(out _))
        {
            List<YamlNode> items = [];
            while (!_parser.TryConsume<SequenceEnd>(out _))
            {
                items.Add(ReadNode(depth + 1));
            }

            return new YamlSequence(at, items);
        }

        _parser.Consume<MappingStart>();
        return new YamlMapping(at, ReadEntries(depth));
    }

    private List<YamlEntry> ReadEntries(int depth)
    {
        List<YamlEntry> entries = [];
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            YamlNode key = ReadNode(depth + 1);
            YamlNode value = ReadNode(depth + 1);
            if (key is YamlScalar name)
            {
                entries.Add(new YamlEntry(name.Text, name.At, value));
            }
            else if (key is not YamlRefused)
            {
                _diagnostics.Error(key.At, "a key must be a name", "quote the value if it holds brackets or braces");
            }
        }

        return entries;
    }

    private void RefuseAnchorAndTag(NodeEvent node, ConfigPosition at)
    {
        if (!node.Anchor.IsEmpty)
        {
            _diagnostics.Error(at, $"the YAML anchor '&{node.Anchor.Value}' is not supported", "remove it and write the value out where it is used");
        }

        if (!node.Tag.IsEmpty && node.Tag.Value != "!")
        {
            _diagnostics.Error(at, $"the YAML tag '{node.Tag.Value.Replace("tag:yaml.org,2002:", "!!", StringComparison.Ordinal)}' is not supported", "remove it: each key knows its type");
        }
    }
}
