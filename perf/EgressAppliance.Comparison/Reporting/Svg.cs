using System.Globalization;
using System.Xml.Linq;

namespace EgressAppliance.Comparison.Reporting;

/// <summary>
/// What charts are made of. Drawn here since charting packages bring native rendering libraries that every build would have to restore, and all that is
/// needed is rectangles, lines and text.
/// </summary>
internal static class Svg
{
    /// <summary>Colours of series, in order.</summary>
    public static readonly string[] Colors = ["#1b6ca8", "#6aa84f", "#e69138", "#8e7cc3"];

    private static readonly XNamespace Names = "http://www.w3.org/2000/svg";

    /// <summary>An empty picture with a title.</summary>
    public static XElement Picture(int width, int height, string title) => new(
        Names + "svg",
        new XAttribute("viewBox", $"0 0 {width} {height}"),
        new XAttribute("font-family", "sans-serif"),
        new XAttribute("font-size", 12),
        Rectangle(0, 0, width, height, "white"),
        Text(width / 2, 24, title, "middle", 16));

    /// <summary>1, 2 or 5 times a power of ten, so that there are 4 to 10 of them.</summary>
    public static double TickStep(double most)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(most)));
        return (most / power) switch { >= 5 => power, >= 2 => power / 2, _ => power / 5 };
    }

    /// <summary>A number with few digits.</summary>
    public static string Number(double value) => value.ToString(value is >= 10 or 0 ? "0.#" : "0.##", CultureInfo.InvariantCulture);

    /// <summary>A filled rectangle.</summary>
    public static XElement Rectangle(double x, double y, double width, double height, string color) => new(
        Names + "rect",
        new XAttribute("x", Place(x)),
        new XAttribute("y", Place(y)),
        new XAttribute("width", Place(width)),
        new XAttribute("height", Place(height)),
        new XAttribute("fill", color));

    /// <summary>A line through some points.</summary>
    public static XElement Line(IEnumerable<(double X, double Y)> points, string color, bool dashed) => new(
        Names + "polyline",
        new XAttribute("points", string.Join(' ', points.Select(p => $"{Place(p.X)},{Place(p.Y)}"))),
        new XAttribute("fill", "none"),
        new XAttribute("stroke", color),
        new XAttribute("stroke-width", 2),
        dashed ? new XAttribute("stroke-dasharray", "6 4") : null);

    /// <summary>A line of text.</summary>
    public static XElement Text(double x, double y, string text, string anchor, int size = 12) => new(
        Names + "text",
        new XAttribute("x", Place(x)),
        new XAttribute("y", Place(y)),
        new XAttribute("text-anchor", anchor),
        new XAttribute("font-size", size),
        text);

    private static string Place(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
