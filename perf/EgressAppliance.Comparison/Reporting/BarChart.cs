using System.Globalization;
using System.Xml.Linq;

namespace EgressAppliance.Comparison.Reporting;

/// <summary>
/// Horizontal bars, one group for each program, as SVG. Drawn here since charting packages bring native rendering libraries that every build would
/// have to restore, and all that is needed is rectangles and text.
/// </summary>
internal static class BarChart
{
    private const int Width = 900;
    private const int Left = 250;
    private const int Right = 70;
    private const int Top = 70;
    private const int Bottom = 50;
    private const int BarHeight = 14;
    private const int Gap = 10;
    private static readonly string[] Colors = ["#1b6ca8", "#6aa84f", "#e69138", "#8e7cc3"];
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>Writes the chart.</summary>
    /// <param name="path">The SVG file.</param>
    /// <param name="title">Its title.</param>
    /// <param name="unit">Label of the axis.</param>
    /// <param name="groups">Names of the groups, from the top.</param>
    /// <param name="series">Each with a value for every group.</param>
    public static void Write(string path, string title, string unit, IReadOnlyList<string> groups, IReadOnlyList<(string Name, IReadOnlyList<double> Values)> series)
    {
        int groupHeight = (series.Count * BarHeight) + Gap;
        int bottom = Top + (groups.Count * groupHeight);
        double step = TickStep(series.SelectMany(s => s.Values).Max());
        double most = Math.Ceiling(series.SelectMany(s => s.Values).Max() / step) * step;
        double scale = (Width - Left - Right) / most;
        XElement svg = new(
            Svg + "svg",
            new XAttribute("viewBox", $"0 0 {Width} {bottom + Bottom}"),
            new XAttribute("font-family", "sans-serif"),
            new XAttribute("font-size", 12),
            Rectangle(0, 0, Width, bottom + Bottom, "white"),
            Text(Width / 2, 24, title, "middle", 16));
        for (int i = 0; i <= (int)Math.Round(most / step); i++)
        {
            double x = Left + (i * step * scale);
            svg.Add(Rectangle(x, Top, 1, bottom - Top, "#dddddd"), Text(x, bottom + 16, Number(i * step), "middle"));
        }

        svg.Add(Text(Left + ((Width - Left - Right) / 2), bottom + 36, unit, "middle"));
        for (int s = 0; s < series.Count; s++)
        {
            string color = Colors[s % Colors.Length];
            int legend = Left + (s * 100);
            svg.Add(Rectangle(legend, 42, 12, 12, color), Text(legend + 18, 52, series[s].Name, "start"));
            for (int g = 0; g < groups.Count; g++)
            {
                double value = series[s].Values[g];
                int y = Top + (g * groupHeight) + (Gap / 2) + (s * BarHeight);
                svg.Add(Rectangle(Left, y, value * scale, BarHeight - 2, color), Text(Left + (value * scale) + 4, y + 10, Number(value), "start", 11));
            }
        }

        for (int g = 0; g < groups.Count; g++)
        {
            svg.Add(Text(Left - 8, Top + (g * groupHeight) + (groupHeight / 2) + 4, groups[g], "end"));
        }

        File.WriteAllText(path, svg + "\n");
    }

    /// <summary>1, 2 or 5 times a power of ten, so that there are 4 to 10 of them.</summary>
    private static double TickStep(double most)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(most)));
        return (most / power) switch { >= 5 => power, >= 2 => power / 2, _ => power / 5 };
    }

    private static string Number(double value) => value.ToString(value is >= 10 or 0 ? "0.#" : "0.##", CultureInfo.InvariantCulture);

    private static XElement Rectangle(double x, double y, double width, double height, string color) => new(
        Svg + "rect",
        new XAttribute("x", Place(x)),
        new XAttribute("y", Place(y)),
        new XAttribute("width", Place(width)),
        new XAttribute("height", Place(height)),
        new XAttribute("fill", color));

    private static XElement Text(double x, double y, string text, string anchor, int size = 12) => new(
        Svg + "text",
        new XAttribute("x", Place(x)),
        new XAttribute("y", Place(y)),
        new XAttribute("text-anchor", anchor),
        new XAttribute("font-size", size),
        text);

    private static string Place(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
